import type { Measurement, Results } from '../results/measurement.ts';
import { median, show } from '../statistics/summary.ts';
import { medianCell } from './cells.ts';
import { findAll, valueOf, valuesOfParameter } from './lookup.ts';
import { table } from './markdown.ts';

const bench = 'orders';

export function orderSection(results: Results): string {
  const [rate] = findAll(results, { bench, metric: 'Orders' });
  if (rate === undefined) return '';
  return [
    '## Orders',
    `${count(rate)} Orders of three artifacts each, created at once, reconciled by the controllers of ARC and run by the embedded engine, whose steps end as soon as ` +
      'they have started; API server, controllers and engine in processes of their own, on SQLite, with a limit of eight Workflows at a time. ' +
      `They are done at ${show(median(rate.values), '1/s')}.`,
    cpuText(results),
    table(
      ['requests of an artifact', 'controllers', 'engine'],
      [
        [
          'all',
          medianCell(results, { bench, metric: 'all requests of an artifact', at: { who: 'controllers' } }),
          medianCell(results, { bench, metric: 'all requests of an artifact', at: { who: 'engine' } }),
        ],
        ...requestRows(results),
      ],
    ),
    'Then an Endpoint is changed, so that all that goes there is transferred again. It should take as long for each Order, however many there are.',
    table(
      ['Orders that go there', 'time for each Order', 'CPU for each artifact'],
      valuesOfParameter(findAll(results, { bench, metric: 'an Order after a change of its Endpoint' }), 'orders').map((orders) => [
        orders.toLocaleString('en-US'),
        medianCell(results, { bench, metric: 'an Order after a change of its Endpoint', at: { orders } }),
        medianCell(results, { bench, metric: 'CPU of an artifact after a change of its Endpoint', at: { orders } }),
      ]),
    ),
    idleText(results),
    `After all of it the controllers keep ${medianCell(results, { bench, metric: 'heap of the controllers' })} in their heap, ` +
      `${medianCell(results, { bench, metric: 'heap of the controllers, over one that has just started' })} of what they keep when they have just started with the same objects. ` +
      `Such a start takes ${medianCell(results, { bench, metric: 'CPU of a start of the controllers' })} of CPU and ` +
      `${medianCell(results, { bench, metric: 'writes at a start of the controllers' })} writes.`,
  ].join('\n\n');
}

function count({ at }: Measurement): string {
  return Number(at['orders']).toLocaleString('en-US');
}

function cpuText(results: Results): string {
  const of = (who: string): string => medianCell(results, { bench, metric: 'CPU of an artifact', at: { who } });
  const [all] = findAll(results, { bench, metric: 'CPU of an artifact', at: { who: 'all' } });
  const bare = all?.baseline === undefined ? undefined : median(all.baseline.values);
  const beside =
    all === undefined || bare === undefined
      ? ''
      : ` A client that decides nothing and sends only what cannot be left out, a create of each object and the beginning and end of its status, takes ` +
        `${show(bare, 'ms')} with its server: ${show(median(all.values) / bare, 'x')}.`;
  return `An artifact takes ${of('all')} of CPU: ${of('controllers')} of the controllers, ${of('engine')} of the engine, ${of('server')} of the API server.${beside}`;
}

function requestRows(results: Results): readonly (readonly string[])[] {
  const found = findAll(results, { bench, metric: 'requests of an artifact' }).map(({ at, values }) => {
    const [who = '', verb = '', resource = ''] = String(at['request']).split(' ');
    return { who, what: `${verb} ${resource}`, value: show(median(values), 'count') };
  });
  const of = (what: string, who: string): string => found.find((each) => each.what === what && each.who === who)?.value ?? '';
  const whats = [...new Set(found.filter(({ who }) => who !== 'bench').map(({ what }) => what))].sort();
  return whats.map((what) => [what, of(what, 'controllers'), of(what, 'engine')]);
}

function idleText(results: Results): string {
  const idle = findAll(results, { bench, metric: 'CPU when idle' });
  const texts = idle.map((each) => `${show(median(each.values), 'ms')} with ${count(each)} Orders`);
  const requests = valueOf(results, { bench, metric: 'requests when idle' });
  return `Left alone for ${String(idle[0]?.at['seconds'] ?? '-')} seconds, server, controllers and engine take together ${texts.join(' and ')} of CPU, and ${requests === undefined ? '-' : show(requests, 'count')} requests.`;
}
