// What the compiler's code needs and neither Zig's sources nor its C library have.

// The tag of the exceptions that are C++'s; it carries a pointer.
asm(".globl __cpp_exception\n"
    ".tagtype __cpp_exception i32\n"
    "__cpp_exception:\n");

extern "C" {

int __cxa_atexit(void (*destroy)(void*), void* object, void* library);

// Destroys a thread's object when the thread ends: with one thread, when the program ends.
int __cxa_thread_atexit(void (*destroy)(void*), void* object, void* library) {
    return __cxa_atexit(destroy, object, library);
}
}
// SPDX-License-Identifier: MIT
