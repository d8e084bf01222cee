"""Looks at pages in a real browser:

    browse.py BROWSER FOLDER PAGE ...

opens each at 400 and 1400 pixels, in light and in dark, and checks that it writes nothing to the
console, requests nothing from the network, is no wider than the window, shows every picture, and
that all text has a contrast of at least 4.5. FOLDER gets the screenshots.
"""
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-extensions", "--host-resolver-rules=MAP * ~NOTFOUND", "--hide-scrollbars", "--allow-file-access-from-files"]

# The page is looked at from outside, in a frame: it has no scripts, and allows none.
PROBE = """<!DOCTYPE html><meta charset="utf-8"><link rel="icon" href="data:,">
<style>body{margin:0}iframe{display:block;border:0;width:WIDTHpx;height:20000px}</style>
<iframe src="PAGE"></iframe><pre></pre><script>
const frame = document.querySelector('iframe');
const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
const over = (top, ground) => {
  const a = top[3] === undefined ? 1 : top[3];
  return [0, 1, 2].map(i => top[i] * a + ground[i] * (1 - a));
};
const light = colour => colour.map(c => c / 255).map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
  .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
const contrast = (a, b) => (Math.max(light(a), light(b)) + .05) / (Math.min(light(a), light(b)) + .05);
frame.onload = () => {
  const page = frame.contentDocument, view = frame.contentWindow, root = page.documentElement;
  const ground = element => {
    const above = element.parentElement ? ground(element.parentElement) : [255, 255, 255];
    return over(numbers(view.getComputedStyle(element).backgroundColor), above);
  };
  const pale = [];
  let texts = 0;
  const walk = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || ['TITLE', 'title', 'desc'].includes(element.tagName)) continue;
    const style = view.getComputedStyle(element);
    const colour = numbers(element.ownerSVGElement ? style.fill : style.color), under = ground(element);
    ++texts;
    if (contrast(over(colour, under), under) < 4.5) pale.push(walk.currentNode.data.trim());
  }
  const wide = [...page.body.querySelectorAll('*')].filter(element =>
    !element.closest('.scroll,pre,svg') && element.getBoundingClientRect().right > view.innerWidth + 1);
  document.querySelector('pre').textContent = 'RESULT' + JSON.stringify({
    width: view.innerWidth, scroll: root.scrollWidth, height: Math.ceil(page.body.getBoundingClientRect().height), texts,
    dark: light(ground(page.body)) < .2, pale: pale.slice(0, 5), wide: wide.slice(0, 5).map(e => e.outerHTML.slice(0, 80)),
    pictures: page.images.length, shown: [...page.images].filter(i => i.naturalWidth > 0 && i.width > 0).length,
    focusable: page.querySelectorAll('[tabindex],a').length}) + 'END';
};
</script>
"""


def browse(browser, work, url, *flags):
    """The page's final DOM, the console's messages, and the network requests."""
    with tempfile.TemporaryDirectory(dir=work, ignore_cleanup_errors=True) as profile:
        log = os.path.join(profile, "net.json")
        done = subprocess.run([browser, *FLAGS, *flags, f"--user-data-dir={profile}", "--enable-logging=stderr",
                               f"--log-net-log={log}", url], capture_output=True, text=True, timeout=120)
        with open(log, encoding="utf-8", errors="replace") as file:
            events = file.read().splitlines()
    console = re.findall(r"^.*:CONSOLE.*$", done.stderr, re.M)
    # One event per line. The browser's own requests, for updates and so on, have no origin.
    asked = [event for event in events if re.search(r'"url":"(https?|wss?|ftp):', event)
             and '"initiator":' in event and '"initiator":"not an origin"' not in event]
    return done.stdout, console, asked


def look(browser, work, page, width, scheme, folder):
    errors = []
    # In a frame of that width: no window is narrower than 500 pixels, except for a screenshot.
    window = ["--window-size=1500,1000", f"--blink-settings=preferredColorScheme={scheme == 'light':d}"]
    probe = os.path.join(work, "probe.html")
    with open(probe, "w", encoding="utf-8") as file:
        file.write(PROBE.replace("PAGE", "file://" + page).replace("WIDTH", str(width)))
    dom, _, _ = browse(browser, work, "file://" + probe, *window, "--dump-dom")
    found = re.search("RESULT(.*)END</pre>", dom, re.S)
    if not found:
        return [f"the browser did not show it: {dom[-300:]}"]
    seen = json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    height = min(int(seen["height"]), 16000)
    name = f"{os.path.basename(os.path.dirname(page))}-{width}-{scheme}.png"
    picture = os.path.join(folder, name)
    _, console, asked = browse(browser, work, "file://" + page, f"--window-size={width},{height}", window[1],
                               f"--screenshot={picture}")
    with open(picture, "rb") as file:
        size = struct.unpack(">II", file.read(24)[16:])
    checks = [
        (not console, f"on the console: {console}"),
        (not asked, f"asked of the network: {asked}"),
        (seen["width"] == width, f"the window is {seen['width']} wide"),
        (seen["scroll"] <= width and not seen["wide"], f"wider than the window: {seen['scroll']}, {seen['wide']}"),
        (seen["dark"] == (scheme == "dark"), "the ground is of the other scheme"),
        (seen["texts"] > 100, f"only {seen['texts']} texts"),
        (not seen["pale"], f"too pale: {seen['pale']}"),
        (seen["shown"] == seen["pictures"], f"{seen['shown']} of {seen['pictures']} pictures are shown"),
        (size[0] == width, f"the screenshot is {size}"),
    ]
    return [message for right, message in checks if not right]


def control(browser, work):
    """Checks that all this would be noticed."""
    page = os.path.join(work, "control.html")
    with open(page, "w", encoding="utf-8") as file:
        file.write("<!DOCTYPE html><img src='http://127.0.0.1:9/x.png'><script>nothing.at.all()</script>")
    _, console, asked = browse(browser, work, "file://" + page, f"--screenshot={work}/control.png")
    return bool(console) and any("127.0.0.1:9/x.png" in event for event in asked)


def main():
    browser, folder, *pages = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    failed = False
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        if not control(browser, work):
            sys.exit("FAILED: a page with an error and a foreign picture was not noticed")
        for page in pages:
            for width in (400, 1400):
                for scheme in ("light", "dark"):
                    for error in look(browser, work, os.path.abspath(page), width, scheme, folder):
                        print(f"{page}, {width} pixels, {scheme}: {error}")
                        failed = True
    sys.exit(failed)


main()
# SPDX-License-Identifier: MIT
