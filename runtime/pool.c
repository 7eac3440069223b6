/*===- pool.c - pinned persistent threads and an atomic task counter ----------------===
 *
 * `einfall_parallel` puts a *job* (a task function, a counter, a count) on the
 * pool's list, wakes the workers and takes part itself: everyone draws the next
 * task number from the counter until there are none. The caller takes the job
 * off the list, waits for workers still inside a task, and returns.
 *
 * Calls may nest and may come from several threads at once: each has its own
 * job. There is no deadlock, because a caller needs nobody's help to finish its
 * tasks and waits only for tasks that are already running.
 *
 * The thread number that a task gets is unique among the tasks running at one
 * time for one frame: worker w is always w + 1, the thread that called
 * `einfall_run` is 0, unless it is itself a worker of the pool.
 *
 * Workers are pinned, one a core, since the system otherwise starts them on the
 * core of their parent and short jobs end before it moves them (measured: no
 * speed-up from two threads at all). EINFALL_PIN=0 in the environment turns
 * that off. An idle worker spins for some microseconds, then blocks.
 *
 *===----------------------------------------------------------------------------===*/
#define _GNU_SOURCE
#include "Internal.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_THREADS = 1024, SPINS = 4000 };

typedef struct Job {
  const einfall_frame *frame;
  einfall_task task;
  void *environment;
  int64_t count;
  atomic_llong next;  /* first task not drawn yet */
  atomic_int running; /* workers inside; changes under the pool's lock */
  struct Job *after;
} Job;

typedef struct Worker {
  einfall_pool *pool;
  pthread_t thread;
  int64_t number; /* the thread number of its tasks */
  int core;       /* -1: not pinned */
} Worker;

struct einfall_pool {
  pthread_mutex_t lock;
  pthread_cond_t work; /* a job was added, or stop */
  pthread_cond_t done; /* a worker left a job */
  Job *jobs;           /* under lock */
  atomic_uint version; /* counts additions to `jobs`, so that idle workers can spin */
  atomic_int stop;
  int32_t workerCount;
  Worker *workers;
  void *_Atomic block; /* kept between calls; its first word is its capacity */
};

/* Which worker the current thread is. */
static _Thread_local const Worker *self;

static void pause_cpu(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

static void runTasks(Job *job, int64_t thread) {
  for (;;) {
    const int64_t task = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed);
    if (task >= job->count)
      return;
    job->task(job->frame, job->environment, task, thread);
  }
}

/* A job with tasks left, joined; NULL: none. Under the lock. */
static Job *joinJob(einfall_pool *pool) {
  for (Job *job = pool->jobs; job; job = job->after)
    if (atomic_load_explicit(&job->next, memory_order_relaxed) < job->count) {
      atomic_fetch_add_explicit(&job->running, 1, memory_order_relaxed);
      return job;
    }
  return NULL;
}

static void *workerMain(void *argument) {
  Worker *worker = argument;
  einfall_pool *pool = worker->pool;
  self = worker;
#ifdef __linux__
  if (worker->core >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(worker->core, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set); /* a wish: without it the work is only slower */
  }
#endif
  pthread_mutex_lock(&pool->lock);
  while (!atomic_load_explicit(&pool->stop, memory_order_relaxed)) {
    Job *job = joinJob(pool);
    if (job) {
      pthread_mutex_unlock(&pool->lock);
      runTasks(job, worker->number);
      pthread_mutex_lock(&pool->lock);
      if (atomic_fetch_sub_explicit(&job->running, 1, memory_order_release) == 1)
        pthread_cond_broadcast(&pool->done); /* `job` may be gone from here on */
      continue;
    }
    const unsigned seen = atomic_load_explicit(&pool->version, memory_order_relaxed);
    pthread_mutex_unlock(&pool->lock);
    for (int k = 0; k < SPINS && atomic_load_explicit(&pool->version, memory_order_relaxed) == seen; ++k)
      pause_cpu();
    pthread_mutex_lock(&pool->lock);
    while (atomic_load_explicit(&pool->version, memory_order_relaxed) == seen)
      pthread_cond_wait(&pool->work, &pool->lock);
  }
  pthread_mutex_unlock(&pool->lock);
  return NULL;
}

static int64_t threadNumber(const einfall_pool *pool) {
  return self && self->pool == pool ? self->number : 0;
}

void einfall_parallel(const einfall_frame *frame, einfall_task task, void *environment, int64_t count) {
  einfall_pool *pool = frame->pool;
  if (count <= 0)
    return;
  Job job = {.frame = frame, .task = task, .environment = environment, .count = count};
  const int64_t thread = pool ? threadNumber(pool) : 0;
  if (!pool || pool->workerCount == 0 || count == 1) {
    runTasks(&job, thread);
    return;
  }
  pthread_mutex_lock(&pool->lock);
  job.after = pool->jobs;
  pool->jobs = &job;
  atomic_fetch_add_explicit(&pool->version, 1, memory_order_relaxed);
  pthread_cond_broadcast(&pool->work);
  pthread_mutex_unlock(&pool->lock);

  runTasks(&job, thread);

  for (int k = 0; k < SPINS && atomic_load_explicit(&job.running, memory_order_relaxed); ++k)
    pause_cpu();
  pthread_mutex_lock(&pool->lock);
  Job **link = &pool->jobs;
  while (*link != &job)
    link = &(*link)->after;
  *link = job.after;
  while (atomic_load_explicit(&job.running, memory_order_acquire))
    pthread_cond_wait(&pool->done, &pool->lock);
  pthread_mutex_unlock(&pool->lock);
}

/* ---- creation ---- */

/* Cores this process may use, in `cores` (at most `size`); 0: unknown. */
static int allowedCores(int *cores, int size) {
  int count = 0;
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    for (int core = 0; core < CPU_SETSIZE && count < size; ++core)
      if (CPU_ISSET(core, &set))
        cores[count++] = core;
#endif
  return count;
}

/* Puts the caller's core last: it is the caller's own. */
static void callerLast(int *cores, int count) {
#ifdef __linux__
  const int here = sched_getcpu();
  for (int k = 0; k + 1 < count; ++k)
    if (cores[k] == here) {
      memmove(cores + k, cores + k + 1, (size_t)(count - k - 1) * sizeof *cores);
      cores[count - 1] = here;
      return;
    }
#endif
}

static void startWorkers(einfall_pool *pool, int32_t wanted, const int *cores, int coreCount) {
  const char *pin = getenv("EINFALL_PIN");
  const int pinned = !(pin && strcmp(pin, "0") == 0) && wanted < coreCount;
  sigset_t all, old; /* signals are the business of the host's threads */
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  for (int32_t k = 0; k < wanted; ++k) {
    Worker *worker = &pool->workers[k];
    *worker = (Worker){.pool = pool, .number = k + 1, .core = pinned ? cores[k] : -1};
    if (pthread_create(&worker->thread, NULL, workerMain, worker))
      break; /* fewer threads do the same work */
    pool->workerCount = k + 1;
  }
  pthread_sigmask(SIG_SETMASK, &old, NULL);
}

einfall_pool *einfall_pool_create(int32_t threads) {
  int cores[MAX_THREADS];
  const int coreCount = allowedCores(cores, MAX_THREADS);
  if (threads <= 0)
    threads = coreCount > 0 ? coreCount : (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
  threads = threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads;
  einfall_pool *pool = calloc(1, sizeof *pool);
  Worker *workers = calloc((size_t)threads, sizeof *workers);
  if (!pool || !workers) {
    free(pool);
    free(workers);
    return NULL;
  }
  pool->workers = workers;
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->work, NULL);
  pthread_cond_init(&pool->done, NULL);
  callerLast(cores, coreCount);
  startWorkers(pool, threads - 1, cores, coreCount);
  return pool;
}

void einfall_pool_destroy(einfall_pool *pool) {
  if (!pool)
    return;
  pthread_mutex_lock(&pool->lock);
  atomic_store_explicit(&pool->stop, 1, memory_order_relaxed);
  atomic_fetch_add_explicit(&pool->version, 1, memory_order_relaxed);
  pthread_cond_broadcast(&pool->work);
  pthread_mutex_unlock(&pool->lock);
  for (int32_t k = 0; k < pool->workerCount; ++k)
    pthread_join(pool->workers[k].thread, NULL);
  pthread_mutex_destroy(&pool->lock);
  pthread_cond_destroy(&pool->work);
  pthread_cond_destroy(&pool->done);
  free(atomic_load(&pool->block));
  free(pool->workers);
  free(pool);
}

int32_t einfall_pool_threads(const einfall_pool *pool) { return pool ? pool->workerCount + 1 : 1; }

/* ---- the block kept between calls ---- */

void *einfallrt_take_block(einfall_pool *pool, size_t bytes, size_t *capacity) {
  enum { ALIGNMENT = 64 };
  void *kept = pool ? atomic_exchange(&pool->block, NULL) : NULL;
  if (kept) {
    memcpy(capacity, kept, sizeof *capacity);
    if (*capacity >= bytes && *capacity / 4 <= bytes) /* not a huge one forever */
      return kept;
    free(kept);
  }
  if (bytes > SIZE_MAX / 2)
    return NULL;
  *capacity = (bytes + sizeof *capacity + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  return aligned_alloc(ALIGNMENT, *capacity);
}

void einfallrt_give_block(einfall_pool *pool, void *block, size_t capacity) {
  if (pool && block) {
    memcpy(block, &capacity, sizeof capacity);
    block = atomic_exchange(&pool->block, block);
  }
  free(block);
}
