import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '@arc/kernel';
import { createMemoryStore, createWriter, openWatchCache } from '@arc/storage';
import { cachedResources, createRegistry } from '../registry/registry.ts';
import { selfSubjectReviews } from '../reviews/self-subject-reviews.ts';
import { authorizerChain } from '../authz/authorizer.ts';
import { testKinds, widget } from '../testing/kinds.ts';
import { createEncodings } from './encodings.ts';
import { watchEncoder } from './watch-encoder.ts';

test('4.7 an event is encoded once per representation and shared by all watchers', async () => {
  await using store = createMemoryStore();
  const cached = cachedResources(testKinds, '/registry');
  await using cache = await openWatchCache(store, { resources: [...cached.values()] });
  const reviewHandlers = selfSubjectReviews(authorizerChain([]));
  const registry = createRegistry({ kinds: testKinds, connectors: [], reviewHandlers, cache, cached, encodings: createEncodings() });
  const resource = registry.find('demo.example.com', 'v1', 'widgets');
  assert.ok(resource?.cache);
  using watcher = resource.cache.watch({ after: 0 });
  await createWriter(store).write({
    key: '/registry/demo.example.com/widgets/ns/w1',
    expect: 'absent',
    value: Buffer.from(JSON.stringify(widget('w1', {}, { namespace: 'ns' }))),
  });
  const { value } = await watcher[Symbol.asyncIterator]().next();
  const events = value?.events ?? [];
  assert.equal(events.length, 1);

  const encoder = (transform: 'object' | 'PartialObjectMetadata') =>
    watchEncoder(new URLSearchParams(), resource, { mediaType: 'application/json', transform, metaVersion: 'v1' }, new FakeClock());
  const first = encoder('object').events(events);
  assert.equal(encoder('object').events(events), first);
  assert.notEqual(encoder('PartialObjectMetadata').events(events), first);

  const twice = [...events, ...events];
  const joined = encoder('object').events(twice);
  assert.equal(encoder('object').events([...twice]), joined, 'also when several are written together');
  assert.deepEqual(joined, Buffer.concat([first, first]));
  assert.notEqual(encoder('PartialObjectMetadata').events(twice), joined);
  assert.deepEqual(encoder('object').events([...twice, ...events]), Buffer.concat([first, first, first]));

  assert.match(Buffer.from(first).toString(), /^\{"type":"ADDED","object":\{.*"resourceVersion":"1".*\}\}\n$/);
});
