/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Counts what a test program and its libraries take from the heap. One file of a program includes
 * it: under the address sanitiser it hangs on to that one's allocator, otherwise it stands in front
 * of glibc's. With any other C library nothing is counted, and heap_is_counted () says so. */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

static struct
{
  size_t n_allocations;
  size_t used; /* bytes */
  size_t peak; /* of used, since heap_reset () */
} heap;

static inline void
heap_took (size_t len)
{
  heap.n_allocations++;
  heap.used += len;
  if (heap.used > heap.peak)
    heap.peak = heap.used;
}

static inline void
heap_gave (size_t len)
{
  heap.used -= len;
}

#if defined __SANITIZE_ADDRESS__
#define HEAP_IS_SANITISED
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define HEAP_IS_SANITISED
#endif
#endif

#ifdef HEAP_IS_SANITISED

/* Of sanitizer/allocator_interface.h, which not every compiler package has. */
int __sanitizer_install_malloc_and_free_hooks (void (*on_malloc) (const volatile void *, size_t),
                                               void (*on_free) (const volatile void *));
size_t __sanitizer_get_allocated_size (const volatile void *at);

static inline void
heap_on_malloc (const volatile void *at, size_t len)
{
  (void) at;
  heap_took (len);
}

static inline void
heap_on_free (const volatile void *at)
{
  if (at != NULL)
    heap_gave (__sanitizer_get_allocated_size (at));
}

static inline bool
heap_is_counted (void)
{
  static bool is_hooked;

  if (!is_hooked)
    is_hooked = __sanitizer_install_malloc_and_free_hooks (heap_on_malloc, heap_on_free) > 0;
  return is_hooked;
}

#elif defined __GLIBC__

#include <errno.h>
#include <malloc.h>

#define HEAP_REPLACES __attribute__ ((visibility ("default")))

void *__libc_malloc (size_t len);
void *__libc_calloc (size_t n, size_t len);
void *__libc_realloc (void *at, size_t len);
void *__libc_memalign (size_t alignment, size_t len);
void __libc_free (void *at);

HEAP_REPLACES void *
malloc (size_t len)
{
  void *at = __libc_malloc (len);

  heap_took (malloc_usable_size (at));
  return at;
}

HEAP_REPLACES void *
calloc (size_t n, size_t len)
{
  void *at = __libc_calloc (n, len);

  heap_took (malloc_usable_size (at));
  return at;
}

HEAP_REPLACES void *
realloc (void *at, size_t len)
{
  heap_gave (malloc_usable_size (at));
  at = __libc_realloc (at, len);
  heap_took (malloc_usable_size (at));
  return at;
}

/* libcrypto 3.5 takes some of its memory this way. */
HEAP_REPLACES int
posix_memalign (void **out, size_t alignment, size_t len)
{
  void *at = __libc_memalign (alignment, len);

  if (at == NULL)
    return ENOMEM;

  heap_took (malloc_usable_size (at));
  *out = at;
  return 0;
}

HEAP_REPLACES void
free (void *at)
{
  heap_gave (malloc_usable_size (at));
  __libc_free (at);
}

static inline bool
heap_is_counted (void)
{
  return true;
}

#else

static inline bool
heap_is_counted (void)
{
  return false;
}

#endif

/* The peak starts from what is used now, which it returns. */
static inline size_t
heap_reset (void)
{
  heap.n_allocations = 0;
  heap.peak = heap.used;
  return heap.used;
}
