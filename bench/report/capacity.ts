import { figure, type Figure } from './figures.ts';

/** What decides how large a server has to be. */
export const capacityFigures: readonly Figure[] = [
  figure('memory of an empty server', 'bytes', { bench: 'growth', metric: 'RSS when empty' }),
  figure('memory for each of 100,000 objects', 'bytes', { bench: 'growth', metric: 'RSS for each object', at: { objects: 100_000 } }),
  figure('start on 100,000 objects', 'ms', { bench: 'growth', metric: 'cold start', at: { objects: 100_000 } }),
  figure('creates by 50 writers', '1/s', { bench: 'writes', metric: 'create throughput', at: { writers: 50 } }),
  figure('updates by 50 writers', '1/s', { bench: 'writes', metric: 'update throughput', at: { writers: 50 } }),
  figure('CPU of a create by 50 writers', 'ms', { bench: 'writes', metric: 'create CPU of server and database', at: { writers: 50 } }),
  figure('CPU of an event to one of 200 watchers', 'ms', {
    ...{ bench: 'watches', metric: 'CPU of server and database for a delivery', at: { watchers: 200, perSecond: 200 } },
  }),
  figure('CPU each second of 180 updates, 12.5 lists of 10,000 objects and 200 watchers', 'ms', {
    ...{ bench: 'mixed', metric: 'CPU of server and database for a second' },
  }),
];
