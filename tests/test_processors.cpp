#include <primer/core/kernels/processors.h>

#include <cstdlib>
#include <thread>

#include "folder.h"
#include "support.h"

#if defined(__linux__)
#include <sched.h>
#endif

namespace primer {
namespace {

// A file system of control groups, as much of it as we read.
class Groups : public Folder {
  public:
    void put(const std::string& name, const std::string& text) const {
        std::filesystem::create_directories((path() / name).parent_path());
        write(name, text);
    }
    void version_2(const std::string& group) const {
        put("proc/self/cgroup", "0::" + group + "\n");
        put("proc/self/mountinfo",
            "25 30 0:23 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
    }
    void version_1(const std::string& group, const std::string& root = "/") const {
        put("proc/self/cgroup", "5:memory:/other\n4:cpu,cpuacct:" + group + "\n0::/ignored\n");
        put("proc/self/mountinfo", "31 30 0:24 / /proc rw - proc proc rw\n32 30 0:25 " + root +
                                       " /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup "
                                       "rw,cpu,cpuacct\n");
    }
    int found() const { return processors_of_quota(path()); }
};

}  // namespace

TEST_CASE("processors: a quota of control groups, version 2") {
    const Groups groups;
    CHECK(groups.found() == 0);  // no such files at all
    groups.version_2("/batch/job");
    CHECK(groups.found() == 0);
    groups.put("sys/fs/cgroup/batch/job/cpu.max", "max 100000\n");
    CHECK(groups.found() == 0);
    groups.put("sys/fs/cgroup/batch/job/cpu.max", "400000 100000\n");
    CHECK(groups.found() == 4);
    groups.put("sys/fs/cgroup/batch/job/cpu.max", "150000 100000\n");
    CHECK(groups.found() == 2);  // rounded up
    groups.put("sys/fs/cgroup/batch/job/cpu.max", "1000 100000\n");
    CHECK(groups.found() == 1);
    for (const char* nonsense :
         {"", "max", "-1 100000", "0 100000", "100000 0", "nan 1", "1e999 1"}) {
        CAPTURE(nonsense);
        groups.put("sys/fs/cgroup/batch/job/cpu.max", nonsense);
        CHECK(groups.found() == 0);
    }
}

TEST_CASE("processors: the smallest quota of nested groups counts") {
    const Groups groups;
    groups.version_2("/batch/job");
    groups.put("sys/fs/cgroup/cpu.max", "600000 100000\n");
    groups.put("sys/fs/cgroup/batch/cpu.max", "200000 100000\n");
    groups.put("sys/fs/cgroup/batch/job/cpu.max", "500000 100000\n");
    CHECK(groups.found() == 2);
    // A container sees its own group as the root.
    groups.version_2("/");
    CHECK(groups.found() == 6);
    // Or the host's path, which it does not have.
    groups.version_2("/../../docker/0123");
    CHECK(groups.found() == 6);
}

TEST_CASE("processors: a quota of control groups, version 1") {
    const Groups groups;
    const std::string top = "sys/fs/cgroup/cpu,cpuacct/";
    groups.version_1("/job");
    groups.put(top + "cpu.cfs_quota_us", "-1\n");
    groups.put(top + "cpu.cfs_period_us", "100000\n");
    groups.put(top + "job/cpu.cfs_quota_us", "250000\n");
    CHECK(groups.found() == 0);
    groups.put(top + "job/cpu.cfs_period_us", "100000\n");
    CHECK(groups.found() == 3);
    // A container without its own namespace: what is mounted is its own group.
    groups.version_1("/docker/0123", "/docker/0123");
    groups.put(top + "cpu.cfs_quota_us", "200000\n");
    CHECK(groups.found() == 2);
}

#if defined(__linux__)
TEST_CASE("processors: the affinity mask counts") {
    std::thread([] {
        cpu_set_t allowed;
        REQUIRE(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
        CHECK(available_processors() <= CPU_COUNT(&allowed));
        std::size_t first = 0;
        while (!CPU_ISSET(first, &allowed)) ++first;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(first, &one);
        REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);  // of this thread alone
        CHECK(available_processors() == 1);
    }).join();
}
#endif

}  // namespace primer
// SPDX-License-Identifier: MIT
