import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRequestInfo } from './request-info.ts';

function parse(method: string, target: string) {
  const [path = '', query = ''] = target.split('?');
  const { verb, group, version, namespace, resource, subresource, name, resourceRequest } = parseRequestInfo(
    method,
    path,
    new URLSearchParams(query),
  );
  return resourceRequest ? [verb, group, version, namespace, resource, name, subresource].join(' ') : `- ${verb}`;
}

test('2.1 the URL grammar of resource requests', () => {
  const table: readonly (readonly [string, string, string])[] = [
    ['GET', '/apis/g/v1/namespaces/ns/widgets', 'list g v1 ns widgets  '],
    ['GET', '/apis/g/v1/namespaces/ns/widgets/w1', 'get g v1 ns widgets w1 '],
    ['HEAD', '/apis/g/v1/namespaces/ns/widgets/w1', 'get g v1 ns widgets w1 '],
    ['GET', '/apis/g/v1/namespaces/ns/widgets?watch=true', 'watch g v1 ns widgets  '],
    ['GET', '/apis/g/v1/namespaces/ns/widgets?watch=1', 'watch g v1 ns widgets  '],
    ['GET', '/apis/g/v1/namespaces/ns/widgets?watch=false', 'list g v1 ns widgets  '],
    ['GET', '/apis/g/v1/namespaces/ns/widgets/w1?watch=1', 'get g v1 ns widgets w1 '],
    ['GET', '/apis/g/v1/widgets', 'list g v1  widgets  '],
    ['POST', '/apis/g/v1/namespaces/ns/widgets', 'create g v1 ns widgets  '],
    ['PUT', '/apis/g/v1/namespaces/ns/widgets/w1/status', 'update g v1 ns widgets w1 status'],
    ['PATCH', '/apis/g/v1/namespaces/ns/widgets/w1', 'patch g v1 ns widgets w1 '],
    ['DELETE', '/apis/g/v1/namespaces/ns/widgets/w1', 'delete g v1 ns widgets w1 '],
    ['DELETE', '/apis/g/v1/namespaces/ns/widgets', 'deletecollection g v1 ns widgets  '],
    ['GET', '/api/v1/namespaces', 'list  v1  namespaces  '],
    ['GET', '/api/v1/namespaces/ns', 'get  v1 ns namespaces ns '],
    ['PUT', '/api/v1/namespaces/ns/finalize', 'update  v1 ns namespaces ns finalize'],
    ['GET', '/api/v1/namespaces/ns/pods/p/log', 'get  v1 ns pods p log'],
    ['GET', '/api/v1/namespaces/ns/secrets/a%2Fb', 'get  v1 ns secrets a/b '],
    ['GET', '/apis', '- get'],
    ['GET', '/apis/g', '- get'],
    ['GET', '/apis/g/v1/', '- get'],
    ['GET', '/api/v1', '- get'],
    ['GET', '/healthz', '- get'],
    ['POST', '/', '- post'],
  ];
  for (const [method, target, expected] of table) assert.equal(parse(method, target), expected, `${method} ${target}`);
});

test('a path that is not percent-encoding is refused', () => {
  assert.throws(() => parseRequestInfo('GET', '/apis/g/v1/widgets/%zz', new URLSearchParams()), URIError);
});
