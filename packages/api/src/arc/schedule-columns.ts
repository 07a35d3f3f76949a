import type { ColumnDefinition, KubeObject } from '@arc/apimachinery';

interface Scheduled extends KubeObject {
  readonly status?: { readonly lastScheduled?: string | null; readonly nextScheduled?: string | null };
}

/** When something with a schedule ran and runs next, for `-o wide`. */
export const scheduleColumns: readonly ColumnDefinition<Scheduled>[] = [
  {
    name: 'Last Run',
    type: 'string',
    description: 'When the last scheduled run was due.',
    priority: 1,
    value: ({ status }) => status?.lastScheduled ?? undefined,
  },
  {
    name: 'Next Run',
    type: 'string',
    description: 'When the next scheduled run is due.',
    priority: 1,
    value: ({ status }) => status?.nextScheduled ?? undefined,
  },
];
