/* Fiber scheduler behind emulate.h. One fiber per CUDA thread of a block; a block runs on one OS thread; blocks are
 * independent and may be spread over workers. A fiber runs until it waits at a barrier or a warp operation: within
 * that stretch nothing else of its block runs, so the order in which fibers are resumed decides every race. */
#include "cuda/lang/emulate.h"

#include <atomic>
#include <mutex>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <thread>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
/* This file is compiled without -fsanitize=thread but with MB_EMU_TSAN: its own reads and writes on behalf of fibers are not
 * accesses of the kernel. What is one goes through memset and memcpy, which the sanitizer sees everywhere. */
#if defined(MB_EMU_TSAN)
extern "C" {
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
}
#define ORDER_ACQUIRE(p) __tsan_acquire(p)
#define ORDER_RELEASE(p) __tsan_release(p)
#else
#define ORDER_ACQUIRE(p) ((void)(p))
#define ORDER_RELEASE(p) ((void)(p))
#endif

thread_local mb_emu_ids mb_emu_self;
mb_emu_options mb_emu_settings = {MB_EMU_FORWARD, 0, 1, 99 * 1024};

namespace {

enum { MAX_THREADS = 1024, STACK = 128 * 1024, RING = 4 * MAX_THREADS, SHARED_MAX = 256 * 1024, GUARD = 64 };

/* ---- context switch: saves the callee-saved registers on the old stack ---------------------------------------- */
extern "C" void mb_emu_switch(void **save_sp, void *load_sp);
#if defined(__x86_64__)
__asm__(".text\n.globl mb_emu_switch\n.type mb_emu_switch,@function\nmb_emu_switch:\n"
        "pushq %rbp\npushq %rbx\npushq %r12\npushq %r13\npushq %r14\npushq %r15\n"
        "movq %rsp,(%rdi)\nmovq %rsi,%rsp\n"
        "popq %r15\npopq %r14\npopq %r13\npopq %r12\npopq %rbx\npopq %rbp\nret\n"
        ".size mb_emu_switch,.-mb_emu_switch\n");
enum { SAVED_WORDS = 7 }; /* six registers and the return address */
#elif defined(__aarch64__)
__asm__(".text\n.globl mb_emu_switch\n.type mb_emu_switch,%function\nmb_emu_switch:\n"
        "sub sp,sp,#160\nstp x19,x20,[sp]\nstp x21,x22,[sp,#16]\nstp x23,x24,[sp,#32]\nstp x25,x26,[sp,#48]\n"
        "stp x27,x28,[sp,#64]\nstp x29,x30,[sp,#80]\nstp d8,d9,[sp,#96]\nstp d10,d11,[sp,#112]\n"
        "stp d12,d13,[sp,#128]\nstp d14,d15,[sp,#144]\nmov x9,sp\nstr x9,[x0]\nmov sp,x1\n"
        "ldp x19,x20,[sp]\nldp x21,x22,[sp,#16]\nldp x23,x24,[sp,#32]\nldp x25,x26,[sp,#48]\n"
        "ldp x27,x28,[sp,#64]\nldp x29,x30,[sp,#80]\nldp d8,d9,[sp,#96]\nldp d10,d11,[sp,#112]\n"
        "ldp d12,d13,[sp,#128]\nldp d14,d15,[sp,#144]\nadd sp,sp,#160\nret\n");
#else
#error "write mb_emu_switch for this processor"
#endif

struct copy {
    void *dst;
    const void *src;
    size_t bytes;
    bool fill;
    int group;
};

struct fiber {
    void *sp;
    char *stack;
    void *tsan, *asan;
    const char *waits_at; /* NULL: runnable or done */
    bool done;
    int groups; /* cp.async groups committed */
    std::vector<copy> copies;
};

struct warp_wait {
    unsigned arrived, generation;
    char token[2];
    void *args[32];
    const char *site;
};

struct shared_array {
    const void *key;
    size_t offset, bytes;
};

/* One per OS thread: the block in flight. */
struct engine {
    fiber fibers[MAX_THREADS];
    void *main_sp, *main_asan;
    void *main_tsan;
    const void *main_stack;
    size_t main_stack_bytes;
    const std::function<void()> *body;
    int n, alive, at_barrier, current;
    int ring[RING];
    unsigned head, count; /* runnable fibers: popped and pushed at the front, so one warp runs as far as it can */
    warp_wait warps[MAX_THREADS / 32];
    unsigned alive_lanes[MAX_THREADS / 32];
    std::vector<shared_array> arrays;
    unsigned char *shared;
    size_t shared_used, dynamic_bytes; /* with guards */
    size_t shared_asked;               /* static, without */
    char fault[512];
    unsigned rng;
    mb_emu_order order;
    /* What orders memory. Two tokens in turn: who runs ahead to the next barrier must not be ordered before who has not
     * left this one yet. Likewise start and end of a thread. */
    unsigned generation;
    char barrier_token[2], start_token, end_token;
};
thread_local engine *E;

void clear_shared(engine *e)
{
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(e->shared, SHARED_MAX + GUARD);
#endif
    memset(e->shared, 0xff, (e->dynamic_bytes > e->shared_used ? e->dynamic_bytes : e->shared_used) + GUARD);
#if defined(__SANITIZE_ADDRESS__)
    __asan_poison_memory_region(e->shared + e->dynamic_bytes, SHARED_MAX + GUARD - e->dynamic_bytes);
#endif
    e->shared_used = (e->dynamic_bytes + GUARD + 15) / 16 * 16;
    e->shared_asked = 0;
    e->arrays.clear();
}

unsigned next_random(engine *e)
{
    e->rng ^= e->rng << 13;
    e->rng ^= e->rng >> 17;
    e->rng ^= e->rng << 5;
    return e->rng;
}

/* Puts ids in front of the runnable ones, in the chosen order. */
void make_runnable(engine *e, int *ids, int n)
{
    if (e->order == MB_EMU_RANDOM) {
        for (int i = n - 1; i > 0; i--) {
            int j = (int)(next_random(e) % (unsigned)(i + 1));
            int t = ids[i];
            ids[i] = ids[j];
            ids[j] = t;
        }
        if (n <= 32 && next_random(e) % 4 == 0) { /* now and then another warp goes first */
            for (int i = 0; i < n; i++) {
                e->ring[(e->head + e->count++) % RING] = ids[i];
            }
            return;
        }
    }
    for (int i = 0; i < n; i++) {
        e->head = (e->head + RING - 1) % RING;
        e->ring[e->head] = ids[e->order == MB_EMU_REVERSE ? i : n - 1 - i];
        e->count++;
    }
}

void enter_fiber(engine *e, fiber *f)
{
#if defined(__SANITIZE_ADDRESS__)
    const void *bottom;
    size_t size;
    __sanitizer_finish_switch_fiber(f->asan, &bottom, &size);
    if (!e->main_stack) {
        e->main_stack = bottom;
        e->main_stack_bytes = size;
    }
#else
    (void)e;
    (void)f;
#endif
}

void switch_to(engine *e, void **save, void **save_asan, fiber *to)
{
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(save_asan, to ? (const void *)to->stack : e->main_stack,
                                   to ? (size_t)STACK : e->main_stack_bytes);
#else
    (void)save_asan;
#endif
#if defined(MB_EMU_TSAN)
    __tsan_switch_to_fiber(to ? to->tsan : e->main_tsan, 1); /* 1: switching orders nothing */
#endif
    mb_emu_switch(save, to ? to->sp : e->main_sp);
}

void set_ids(engine *e, int i)
{
    e->current = i;
    dim3 d = mb_emu_self.block_dim;
    unsigned u = (unsigned)i;
    mb_emu_self.thread = uint3{u % d.x, u / d.x % d.y, u / d.x / d.y};
}

/* Leaves the current fiber (which waits, or is done) for the next runnable one, or for the main stack. */
void leave(engine *e)
{
    fiber *me = &e->fibers[e->current];
    void *unused;
    void **save_asan = me->done ? NULL : &me->asan;
    if (e->count > 0 && !e->fault[0]) {
        int i = e->ring[e->head];
        e->head = (e->head + 1) % RING;
        e->count--;
        if (i == e->current) {
            return;
        }
        set_ids(e, i);
        switch_to(e, me->done ? &unused : &me->sp, save_asan, &e->fibers[i]);
    } else {
        switch_to(e, me->done ? &unused : &me->sp, save_asan, NULL);
    }
    enter_fiber(e, me);
}

void finish_copies(fiber *f, int pending)
{
    size_t kept = 0;
    for (size_t i = 0; i < f->copies.size(); i++) {
        copy c = f->copies[i];
        if (c.group > f->groups - 1 - pending) {
            f->copies[kept++] = c;
        } else if (c.fill) {
            memcpy(c.dst, c.src, c.bytes);
        } else {
            memset(c.dst, 0, c.bytes);
        }
    }
    f->copies.resize(kept);
}

void release_barrier(engine *e)
{
    static thread_local int ids[MAX_THREADS];
    int n = 0;
    for (int i = 0; i < e->n; i++) {
        fiber *f = &e->fibers[i];
        if (f->done || !f->waits_at) {
            continue;
        }
        f->waits_at = NULL;
        ids[n++] = i;
    }
    e->at_barrier = 0;
    e->generation++;
    make_runnable(e, ids, n);
}

void fiber_main(void)
{
    engine *e = E;
    fiber *f = &e->fibers[e->current];
    enter_fiber(e, f);
    ORDER_ACQUIRE(&e->start_token);
    (*e->body)();
    if (!f->copies.empty()) {
        snprintf(e->fault, sizeof e->fault, "a thread ends with cp.async copies it never waited for");
    }
    ORDER_RELEASE(&e->end_token);
    f->done = true;
    e->alive--;
    e->alive_lanes[e->current / 32] &= ~(1u << (e->current % 32));
    if (e->alive > 0 && e->at_barrier == e->alive) {
        release_barrier(e); /* the others waited for this one only */
    }
    leave(e);
    abort(); /* a finished fiber is never resumed */
}

void prepare_fiber(engine *e, fiber *f)
{
    if (!f->stack) {
        f->stack = (char *)mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (f->stack == MAP_FAILED) {
            perror("fiber stack");
            abort();
        }
        mprotect(f->stack, 4096, PROT_NONE); /* an overflow stops here */
#if defined(MB_EMU_TSAN)
        f->tsan = __tsan_create_fiber(0);
#endif
    }
#if defined(__SANITIZE_ADDRESS__)
    /* the frames of a fiber that has ended never returned: their red zones are still marked */
    __asan_unpoison_memory_region(f->stack + STACK - 16384, 16384);
#endif
    (void)e;
    f->done = false;
    f->waits_at = NULL;
    f->asan = NULL;
    f->groups = 0;
    f->copies.clear();
    void **top = (void **)(f->stack + STACK);
#if defined(__x86_64__)
    *--top = NULL; /* keeps the stack aligned as after a call */
    *--top = (void *)fiber_main;
    top -= SAVED_WORDS - 1;
#else
    top -= 20;
    top[11] = (void *)fiber_main; /* x30 */
#endif
    f->sp = top;
}

void describe_stuck(engine *e)
{
    const char *first = NULL, *second = NULL;
    int a = 0, b = 0;
    for (int i = 0; i < e->n; i++) {
        const char *s = e->fibers[i].waits_at;
        if (!s) {
            continue;
        }
        if (!first || strcmp(s, first) == 0) {
            first = s;
            a++;
        } else {
            second = s;
            b++;
        }
    }
    if (second) {
        snprintf(e->fault, sizeof e->fault, "stuck: %d threads wait at %s, %d elsewhere (%s)", a, first, b, second);
    } else {
        snprintf(e->fault, sizeof e->fault, "stuck: %d of %d threads wait at %s", a, e->n, first ? first : "?");
    }
}

void run_block(engine *e, int n)
{
    static thread_local int ids[MAX_THREADS];
    e->n = e->alive = n;
    e->at_barrier = 0;
    e->head = e->count = 0;
    e->fault[0] = 0;
    clear_shared(e);
    memset(e->warps, 0, sizeof e->warps);
    memset(e->alive_lanes, 0, sizeof e->alive_lanes);
    for (int i = 0; i < n; i++) {
        prepare_fiber(e, &e->fibers[i]);
        e->alive_lanes[i / 32] |= 1u << (i % 32);
        ids[i] = i;
    }
    make_runnable(e, ids, n);
#if defined(MB_EMU_TSAN)
    e->main_tsan = __tsan_get_current_fiber();
#endif
    ORDER_RELEASE(&e->start_token);
    while (e->count > 0 && !e->fault[0]) {
        int i = e->ring[e->head];
        e->head = (e->head + 1) % RING;
        e->count--;
        set_ids(e, i);
        switch_to(e, &e->main_sp, &e->main_asan, &e->fibers[i]);
#if defined(__SANITIZE_ADDRESS__)
        __sanitizer_finish_switch_fiber(e->main_asan, NULL, NULL);
#endif
    }
    ORDER_ACQUIRE(&e->end_token);
    if (!e->fault[0] && e->alive > 0) {
        describe_stuck(e);
    }
}

struct job {
    dim3 grid, block;
    size_t smem;
    const std::function<void()> *body;
    mb_emu_options options;
    std::atomic<uint64_t> next;
    std::atomic<bool> failed;
    std::mutex lock;
    char message[768];
};

/* An engine and its stacks, as long as its thread lives. */
struct holder {
    engine *e = NULL;
    ~holder()
    {
        for (int i = 0; e && i < MAX_THREADS; i++) {
            if (e->fibers[i].stack) {
                munmap(e->fibers[i].stack, STACK);
            }
        }
        if (e) {
#if defined(__SANITIZE_ADDRESS__)
            __asan_unpoison_memory_region(e->shared, SHARED_MAX + GUARD);
#endif
            free(e->shared);
        }
        delete e;
    }
};

void work(job *j, const char *name)
{
    static thread_local holder mine; /* kept: stacks are reused by later launches */
    if (!mine.e) {
        mine.e = new engine();
        mine.e->shared = (unsigned char *)aligned_alloc(128, SHARED_MAX + 1024);
    }
    engine *e = E = mine.e;
    e->body = j->body;
    e->dynamic_bytes = j->smem;
    e->order = j->options.order;
    e->main_stack = NULL;
    uint64_t total = (uint64_t)j->grid.x * j->grid.y * j->grid.z, i;
    int n = (int)(j->block.x * j->block.y * j->block.z);
    while (!j->failed.load(std::memory_order_relaxed) && (i = j->next.fetch_add(1, std::memory_order_relaxed)) < total) {
        uint64_t b = i;
        if (j->options.order == MB_EMU_REVERSE) {
            b = total - 1 - i;
        } else if (j->options.order == MB_EMU_RANDOM) {
            b = (i * 2654435761u + j->options.seed) % total; /* a permutation unless total is a multiple of this prime */
        }
        e->rng = (unsigned)(b * 0x9e3779b9u + j->options.seed * 0x85ebca6bu) | 1u;
        mb_emu_self.block_dim = j->block;
        mb_emu_self.grid_dim = j->grid;
        mb_emu_self.block = uint3{(unsigned)(b % j->grid.x), (unsigned)(b / j->grid.x % j->grid.y),
                                  (unsigned)(b / j->grid.x / j->grid.y)};
        run_block(e, n);
        if (e->fault[0]) {
            std::lock_guard<std::mutex> g(j->lock);
            if (!j->failed.exchange(true)) {
                snprintf(j->message, sizeof j->message, "%s: block (%u,%u,%u) thread (%u,%u,%u): %s", name,
                         mb_emu_self.block.x, mb_emu_self.block.y, mb_emu_self.block.z, mb_emu_self.thread.x,
                         mb_emu_self.thread.y, mb_emu_self.thread.z, e->fault);
            }
        }
    }
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(e->shared, SHARED_MAX + GUARD);
#endif
}

} // namespace

void mb_emu_fault(const char *site, const char *what)
{
    engine *e = E;
    snprintf(e->fault, sizeof e->fault, "%s: %s", site, what);
    leave(e);
    abort();
}

void mb_emu_barrier(const char *site)
{
    engine *e = E;
    fiber *f = &e->fibers[e->current];
    for (int w = 0; e->at_barrier > 0 && w < e->n; w++) { /* compare with one thread that waits */
        const char *other = e->fibers[w].waits_at;
        if (other) {
            if (other != site && strcmp(other, site) != 0) {
                char text[256];
                snprintf(text, sizeof text, "__syncthreads here, other threads wait at %s", other);
                mb_emu_fault(site, text);
            }
            break;
        }
    }
    char *token = &e->barrier_token[e->generation % 2];
    ORDER_RELEASE(token);
    f->waits_at = site;
    if (++e->at_barrier == e->alive) {
        release_barrier(e);
    }
    leave(e);
    ORDER_ACQUIRE(token);
}

void mb_emu_warp(unsigned mask, mb_emu_warp_fn *all, void *arg, bool orders_memory, const char *site)
{
    engine *e = E;
    int w = e->current / 32, lane = e->current % 32;
    warp_wait *ww = &e->warps[w];
    if (mask == 0xffffffffu && e->n - w * 32 < 32) {
        mask = e->alive_lanes[w] | ww->arrived; /* the last warp of a block that is no multiple of 32 */
    }
    if (!(mask >> lane & 1u)) {
        mb_emu_fault(site, "the calling lane is not in the mask");
    }
    if (mask & ~e->alive_lanes[w]) {
        mb_emu_fault(site, "the mask names a lane that has left the kernel");
    }
    if (ww->arrived && ww->site != site && strcmp(ww->site, site) != 0) {
        mb_emu_fault(site, "lanes of a warp are in different warp operations");
    }
    char *token = &ww->token[ww->generation % 2];
    if (orders_memory) {
        ORDER_RELEASE(token);
    }
    ww->arrived |= 1u << lane;
    ww->args[lane] = arg;
    ww->site = site;
    if (ww->arrived == mask) {
        int ids[32], n = 0;
        ww->arrived = 0;
        ww->generation++;
        all(ww->args, mask);
        for (int l = 0; l < 32; l++) {
            if (mask >> l & 1u) {
                e->fibers[w * 32 + l].waits_at = NULL;
                ids[n++] = w * 32 + l;
            }
        }
        make_runnable(e, ids, n);
    }
    leave(e);
    if (orders_memory) {
        ORDER_ACQUIRE(token);
    }
}

void *mb_emu_shared(const void *key, size_t bytes, const char *site)
{
    engine *e = E;
    for (const shared_array &a : e->arrays) {
        if (a.key == key) {
            return e->shared + a.offset;
        }
    }
    size_t offset = e->shared_used, room = (bytes + GUARD + 15) / 16 * 16;
    e->shared_asked += bytes;
    if (e->shared_asked > 48 * 1024 || e->shared_asked + e->dynamic_bytes > mb_emu_settings.shared_limit || offset + room > SHARED_MAX) {
        mb_emu_fault(site, "too much shared memory: 48 KiB static, shared_limit in all");
    }
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(e->shared + offset, bytes);
#endif
    for (size_t i = 0; i < bytes; i++) { /* no memset: not an access of this thread */
        *(volatile unsigned char *)(e->shared + offset + i) = 0xff;
    }
    e->arrays.push_back(shared_array{key, offset, bytes});
    e->shared_used = offset + room;
    return e->shared + offset;
}

void *mb_emu_shared_dynamic(void) { return E->shared; }

void mb_emu_cp_async(void *dst, const void *src, size_t bytes, bool fill)
{
    fiber *f = &E->fibers[E->current];
    if (((uintptr_t)dst | (fill ? (uintptr_t)src : 0)) % 16 != 0) {
        mb_emu_fault("cp.async", "address is not a multiple of 16");
    }
    memset(dst, 0xff, bytes);
    f->copies.push_back(copy{dst, src, bytes, fill, f->groups});
}
void mb_emu_cp_commit(void) { E->fibers[E->current].groups++; }
void mb_emu_cp_wait(int pending) { finish_copies(&E->fibers[E->current], pending); }

static float bits_to_float(uint16_t b, bool bf16)
{
    return bf16 ? __bfloat162float(bfloat16{b}) : __half2float(half{b});
}

void mb_emu_mma_all(void **args, unsigned mask)
{
    float a[16][16], b[16][8];
    if (mask != 0xffffffffu) {
        mb_emu_fault("mma", "needs all 32 lanes");
    }
    for (int l = 0; l < 32; l++) {
        const mb_emu_mma *m = (const mb_emu_mma *)args[l];
        int g = l / 4, t = l % 4 * 2;
        for (int r = 0; r < 4; r++) {
            for (int h = 0; h < 2; h++) {
                a[g + (r & 1) * 8][t + (r >> 1) * 8 + h] = bits_to_float((uint16_t)(m->a[r] >> (16 * h)), m->bf16);
            }
        }
        for (int r = 0; r < 2; r++) {
            for (int h = 0; h < 2; h++) {
                b[t + r * 8 + h][g] = bits_to_float((uint16_t)(m->b[r] >> (16 * h)), m->bf16);
            }
        }
    }
    for (int i = 0; i < 16; i++) {
        float sum[8] = {0};
        for (int k = 0; k < 16; k++) {
            for (int j = 0; j < 8; j++) {
                sum[j] += a[i][k] * b[k][j];
            }
        }
        for (int j = 0; j < 8; j++) {
            ((mb_emu_mma *)args[(i % 8) * 4 + j / 2])->d[(i / 8) * 2 + j % 2] += sum[j];
        }
    }
}

void mb_emu_ldm_all(void **args, unsigned mask)
{
    if (mask != 0xffffffffu) {
        mb_emu_fault("ldmatrix", "needs all 32 lanes");
    }
    for (int l = 0; l < 32; l++) {
        mb_emu_ldm *m = (mb_emu_ldm *)args[l];
        if ((uintptr_t)m->row % 16 != 0) {
            mb_emu_fault(m->site, "ldmatrix row address is not a multiple of 16");
        }
        for (int i = 0; i < 4; i++) {
            int k = l % 4 * 2;
            uint32_t lo, hi;
            if (m->trans) {
                lo = ((mb_emu_ldm *)args[i * 8 + k])->row[l / 4];
                hi = ((mb_emu_ldm *)args[i * 8 + k + 1])->row[l / 4];
            } else {
                const uint16_t *row = ((mb_emu_ldm *)args[i * 8 + l / 4])->row;
                lo = row[k];
                hi = row[k + 1];
            }
            m->r[i] = lo | hi << 16;
        }
    }
}

#ifndef __F16C__
float mb_emu_half_to_float(uint16_t bits)
{
    uint32_t sign = (uint32_t)(bits & 0x8000u) << 16, exp = bits >> 10 & 31u, man = bits & 0x3ffu, u;
    float f;
    if (exp == 31) {
        u = sign | 0x7f800000u | man << 13;
    } else if (exp) {
        u = sign | (exp + 112) << 23 | man << 13;
    } else {
        f = (float)man * 0x1p-24f;
        return sign ? -f : f;
    }
    memcpy(&f, &u, 4);
    return f;
}
uint16_t mb_emu_float_to_half(float f)
{
    uint32_t u;
    memcpy(&u, &f, 4);
    uint16_t sign = (uint16_t)(u >> 16 & 0x8000u);
    float a = fabsf(f);
    if (f != f) {
        return (uint16_t)(sign | 0x7e00u);
    }
    if (a >= 65520.0f) {
        return (uint16_t)(sign | 0x7c00u);
    }
    if (a < 0x1p-14f) {
        return (uint16_t)(sign | (uint16_t)lrintf(a * 0x1p24f)); /* ties to even, as the current rounding mode */
    }
    memcpy(&u, &a, 4);
    return (uint16_t)(sign | ((u - (112u << 23) + 0xfffu + (u >> 13 & 1u)) >> 13));
}
#endif

const char *mb_emu_run(const char *name, dim3 grid, dim3 block, size_t smem, const std::function<void()> &body)
{
    static thread_local char message[768];
    uint64_t threads = (uint64_t)block.x * block.y * block.z;
    if (threads == 0 || threads > MAX_THREADS || block.z > 64 || grid.x == 0 || grid.y == 0 || grid.z == 0 ||
        grid.x > 0x7fffffffu || grid.y > 65535 || grid.z > 65535 || smem > mb_emu_settings.shared_limit) {
        snprintf(message, sizeof message, "%s: bad launch: grid %ux%ux%u block %ux%ux%u shared %zu", name, grid.x, grid.y,
                 grid.z, block.x, block.y, block.z, smem);
        return message;
    }
    job j;
    j.grid = grid;
    j.block = block;
    j.smem = smem;
    j.body = &body;
    j.options = mb_emu_settings;
    j.next = 0;
    j.failed = false;
    std::vector<std::thread> helpers;
    for (int i = 1; i < j.options.workers; i++) {
        helpers.emplace_back(work, &j, name);
    }
    work(&j, name);
    for (std::thread &t : helpers) {
        t.join();
    }
    if (!j.failed) {
        return NULL;
    }
    memcpy(message, j.message, sizeof message);
    return message;
}

/* As on a device: a launch never reports by itself, the first fault sticks until it is asked for. */
static std::mutex sticky_lock;
static char sticky[768];

struct launch {
    const char *name;
    dim3 grid, block;
    size_t smem;
    std::function<void()> body;
};

static void run_launch(void *argument)
{
    const launch *l = (const launch *)argument;
    const char *fault = mb_emu_run(l->name, l->grid, l->block, l->smem, l->body);
    std::lock_guard<std::mutex> g(sticky_lock);
    if (fault && !sticky[0]) {
        snprintf(sticky, sizeof sticky, "%s", fault);
    }
}
static void drop_launch(void *argument) { delete (launch *)argument; }

typedef int submit_fn(cudaStream_t, const char *, void (*)(void *), void *, void (*)(void *));
/* The stand-in driver, where the test has loaded it: a stream that is being captured records its launches. */
static submit_fn *find_stream_owner(void)
{
    void *driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
    return driver ? (submit_fn *)dlsym(driver, "mb_standin_submit_launch") : NULL;
}

void mb_emu_launch(const char *name, dim3 grid, dim3 block, size_t smem, cudaStream_t stream, std::function<void()> body)
{
    static submit_fn *const submit = find_stream_owner();
    launch *l = new launch{name, grid, block, smem, std::move(body)};
    if (submit && stream) {
        (void)submit(stream, name, run_launch, l, drop_launch);
    } else {
        run_launch(l);
        drop_launch(l);
    }
}

const char *mb_emu_take_fault(void)
{
    static thread_local char message[768];
    std::lock_guard<std::mutex> g(sticky_lock);
    memcpy(message, sticky, sizeof message);
    sticky[0] = 0;
    return message[0] ? message : NULL;
}

static thread_local char last_text[768];

int mb_emu_launched(void)
{
    const char *fault = mb_emu_take_fault();
    if (fault) {
        snprintf(last_text, sizeof last_text, "%s", fault);
    }
    return fault ? 719 : 0;
}

const char *mb_emu_launch_text(int code) { return code == 719 ? last_text : "no such launch error"; }

/* For tests in C: 0 forward, 1 reverse, 2 random by seed. */
extern "C" void mb_emu_set(int order, unsigned seed)
{
    mb_emu_settings.order = order == 0 ? MB_EMU_FORWARD : order == 1 ? MB_EMU_REVERSE : MB_EMU_RANDOM;
    mb_emu_settings.seed = seed;
}
