import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isStatusReason } from '@arc/apimachinery';
import { negotiate, type NegotiateOptions } from './accept.ts';

const all: NegotiateOptions = { transforms: ['Table', 'PartialObjectMetadata'] };

function chosen(accept: string | undefined, options: NegotiateOptions = all): string {
  const { mediaType, transform, metaVersion } = negotiate(accept, options);
  return `${mediaType} ${transform} ${metaVersion}`;
}

test('4.1 the first clause that can be served wins', () => {
  const table: readonly (readonly [string | undefined, string])[] = [
    [undefined, 'application/json object v1'],
    ['', 'application/json object v1'],
    ['*/*', 'application/json object v1'],
    ['application/*', 'application/json object v1'],
    ['application/json;charset=utf-8', 'application/json object v1'],
    ['application/yaml', 'application/yaml object v1'],
    ['application/vnd.kubernetes.protobuf,application/json', 'application/json object v1'],
    ['application/json;q=0.1,application/yaml', 'application/yaml object v1'],
    ['application/json;q=0,application/yaml', 'application/yaml object v1'],
    ['application/json;as=Table;v=v1;g=meta.k8s.io,application/json', 'application/json Table v1'],
    ['application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json', 'application/json Table v1beta1'],
    ['application/json;as=Table;v=v2;g=meta.k8s.io,application/json', 'application/json object v1'],
    ['application/json;as=Table;v=v1;g=meta.k8s.io;profile=nopeer,application/json', 'application/json Table v1'],
    [
      'application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json',
      'application/json PartialObjectMetadata v1',
    ],
    ['application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json', 'application/json object v1'],
  ];
  for (const [accept, expected] of table) assert.equal(chosen(accept), expected, accept);
});

test('2.3 nothing acceptable is 406', () => {
  for (const accept of ['text/html', 'application/vnd.kubernetes.protobuf', 'application/json;as=Unknown;g=meta.k8s.io;v=v1']) {
    assert.throws(
      () => negotiate(accept, all),
      (error) =>
        isStatusReason(error, 'NotAcceptable') && error.message.startsWith('only the following media types are accepted: application/json'),
      accept,
    );
  }
});

test('4.1 a watch has no YAML form', () => {
  assert.throws(
    () => negotiate('application/yaml', { yaml: false }),
    (error) => isStatusReason(error, 'NotAcceptable'),
  );
});
