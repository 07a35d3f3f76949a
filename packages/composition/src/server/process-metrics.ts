import type { Metrics } from '@arc/kernel';

/** What Prometheus' dashboards expect of every process. */
export function processMetrics(metrics: Metrics): void {
  const memory = metrics.gauge({ name: 'process_resident_memory_bytes', help: 'Resident memory size.', labels: [] });
  const cpu = metrics.gauge({ name: 'process_cpu_seconds_total', help: 'User and system CPU time spent.', labels: [] });
  const heap = metrics.gauge({ name: 'nodejs_heap_size_used_bytes', help: 'Used heap of the main thread.', labels: [] });
  const started = metrics.gauge({ name: 'process_start_time_seconds', help: 'Start of the process since the epoch.', labels: [] });
  const startTime = Date.now() / 1000 - process.uptime();
  metrics.beforeExposition(() => {
    const { user, system } = process.cpuUsage();
    memory.set({}, process.memoryUsage.rss());
    cpu.set({}, (user + system) / 1_000_000);
    heap.set({}, process.memoryUsage().heapUsed);
    started.set({}, startTime);
  });
}
