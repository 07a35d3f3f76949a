import { figure, type Figure } from './figures.ts';

/** What a choice between storages goes by. */
export const choosingFigures: readonly Figure[] = [
  figure('creates by one writer', '1/s', { bench: 'writes', metric: 'create throughput', at: { writers: 1 } }),
  figure('creates by 50 writers', '1/s', { bench: 'writes', metric: 'create throughput', at: { writers: 50 } }),
  figure('a create by one writer, P50', 'ms', { bench: 'writes', metric: 'create p50', at: { writers: 1 } }),
  figure('a create at 230 a second, P99', 'ms', { bench: 'writes', metric: 'create p99 at a fixed rate' }),
  figure('CPU of a create by 50 writers', 'ms', { bench: 'writes', metric: 'create CPU of server and database', at: { writers: 50 } }),
  figure('GET of one object, P50', 'ms', { bench: 'gets', metric: 'GET p50' }),
  figure('LIST of 10,000 objects, P50', 'ms', { bench: 'lists', metric: 'LIST p50', at: { objects: 10_000, as: 'objects' } }),
  figure('event to 200 watchers at 50 writes a second, P50', 'ms', {
    ...{ bench: 'watches', metric: 'delivery p50', at: { watchers: 200, perSecond: 50 } },
  }),
  figure('start on 100,000 objects', 'ms', { bench: 'growth', metric: 'cold start', at: { objects: 100_000 } }),
  figure('memory of the server for each of 100,000 objects', 'bytes', {
    ...{ bench: 'growth', metric: 'RSS for each object', at: { objects: 100_000 } },
  }),
];
