import assert from 'node:assert/strict';
import type { ApiClient } from './api-client.ts';

const existing = '/api/v1/namespaces/default';
const configMaps = `${existing}/configmaps`;

/**
 * Asserts what clients are told while the storage cannot be reached: 5xx with Retry-After to everything that needs it, within
 * the timeout of the request, also about objects that are known and about such as are not.
 */
export async function assertAway(client: ApiClient): Promise<void> {
  const body = { metadata: { name: 'away' } };
  const contentType = 'application/merge-patch+json';
  const answers = await Promise.all(
    (
      [
        ['GET', existing, {}],
        ['GET', `${configMaps}/unknown`, {}],
        ['GET', configMaps, {}],
        ['GET', '/apis/arc.opendefense.cloud/v1alpha1/orders?limit=5', {}],
        ['POST', configMaps, { body }],
        ['PUT', `${configMaps}/away`, { body }],
        ['PATCH', existing, { body: { metadata: { labels: { away: 'yes' } } }, contentType }],
        ['DELETE', `${configMaps}/unknown`, {}],
        ['DELETE', configMaps, {}],
      ] as const
    ).map(async ([method, path, options]) => {
      const answer = await client.send(method, path, { ...options, timeoutSeconds: 2 });
      return {
        what: `${method} ${path}`,
        code: answer?.code ?? 0,
        retryAfter: Number(answer?.headers['retry-after'] ?? 0),
        text: answer?.text,
      };
    }),
  );
  const wrong = answers.filter(({ code, retryAfter }) => code < 500 || retryAfter < 1);
  assert.deepEqual(wrong, [], 'answers while the storage is away');
}
