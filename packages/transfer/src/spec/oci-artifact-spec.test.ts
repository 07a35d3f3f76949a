import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../digest/digest.ts';
import { parseEndpointURL } from '../reference/endpoint-url.ts';
import { parseOciArtifactSpec } from './oci-artifact-spec.ts';

const endpoint = parseEndpointURL('https://example.org');
const digest = digestOf(Buffer.from('x'));
const parse = (spec: unknown): unknown => parseOciArtifactSpec(JSON.stringify(spec), endpoint);

test('the spec of an oci artifact, in each of its forms', () => {
  const source = { repository: 'demo/app', tag: 'v1', digest: undefined };
  const plain = { source, repository: 'demo/app', tags: ['v1'], platforms: [], onConflict: undefined };
  for (const [spec, expected] of [
    [{ image: 'demo/app:v1' }, plain],
    [{ image: 'example.org/demo/app:v1' }, plain],
    [{ repository: 'demo/app', tag: 'v1' }, plain],
    [{ image: 'demo/app:v1', override: '', tags: [], platforms: null, unknown: { x: 1 } }, plain],
    [
      { image: 'demo/app:v1', override: 'zone/app' },
      { ...plain, repository: 'zone/app' },
    ],
    [
      { image: 'demo/app:v1', override: 'zone/app:v2' },
      { ...plain, repository: 'zone/app', tags: ['v2'] },
    ],
    [
      { image: 'demo/app:v1', override: ':v2' },
      { ...plain, tags: ['v2'] },
    ],
    [
      { image: 'demo/app:v1', override: 'zone/{{ .repository }}:{{.tag}}-ok' },
      { ...plain, repository: 'zone/demo/app', tags: ['v1-ok'] },
    ],
    [
      { image: 'demo/app:v1', override: { repository: 'zone/app', tag: 'v2' } },
      { ...plain, repository: 'zone/app', tags: ['v2'] },
    ],
    [
      { image: 'demo/app:v1', tags: ['stable', 'v1', ''] },
      { ...plain, tags: ['v1', 'stable'] },
    ],
    [
      { image: 'demo/app:v1', platforms: ['linux/arm64', 'linux/arm64'] },
      { ...plain, platforms: ['linux/arm64'] },
    ],
    [{ image: `demo/app@${digest}` }, { ...plain, source: { repository: 'demo/app', tag: undefined, digest }, tags: [] }],
    [{ image: `demo/app:v1@${digest}` }, { ...plain, source: { ...source, digest } }],
  ] as const) {
    assert.deepEqual(parse(spec), expected, JSON.stringify(spec));
  }
});

test('errors name the field', () => {
  for (const [spec, message] of [
    [{}, /spec\.image: the artifact names no image/],
    [{ image: 'Demo' }, /spec\.image: not a repository name: "Demo"/],
    [{ image: 1 }, /spec\.image: image is not a string/],
    [{ repository: 'a', tag: 1.1 }, /spec\.image: tag is not a string/],
    [{ image: 'a', override: 'b@sha256:0' }, /spec\.override: a digest cannot be overridden/],
    [{ image: 'a', override: '{{ .x }}' }, /spec\.override: .* uses more than/],
    [{ image: 'a', tags: 'v1' }, /spec\.tags: tags is not a list/],
    [{ image: 'a', tags: ['a b'] }, /spec\.tags: not a tag/],
    [{ image: 'a', platforms: ['linux'] }, /spec\.platforms: not a platform/],
    [{ image: 'other:5000/a' }, /spec\.image: image other:5000\/a names the registry other:5000/],
    ['text', /not an object/],
  ] as const) {
    assert.throws(() => parse(spec), message, JSON.stringify(spec));
  }
  assert.throws(() => parseOciArtifactSpec('{', endpoint), /not valid JSON/);
});
