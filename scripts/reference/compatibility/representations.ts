import type { ContractChapter } from './contract.ts';

export const representations: ContractChapter = {
  title: '4 Representations',
  items: [
    {
      id: '4.1',
      level: 'MUST',
      what: 'JSON and YAML bodies; YAML scalars as kubectl reads them',
      tests: ['4.1 YAML bodies', '4.1 scalars', '4.1 keys', '4.1 reports duplicate'],
    },
    {
      id: '4.1',
      level: 'MUST',
      what: 'JSON and YAML answers',
      tests: ['4.1 YAML and pretty', '4.1 what is written as YAML', '4.1 a watch has no YAML'],
    },
    {
      id: '4.1',
      level: 'MUST',
      what: 'int64 beyond 2^53 exact everywhere',
      tests: ['4.1 an int64', '4.1 every int64', '4.7 a watch shows an int64', '2.7 merge and JSON patches keep'],
    },
    { id: '4.1', level: 'MUST', what: 'empty lists', tests: ['4.1 an empty list'] },
    { id: '4.1', level: 'MAY', what: 'CBOR', notApplicable: 'alpha and off in Kubernetes; answered with 415' },
    { id: '4.2', level: 'MUST', what: 'Table on get, list and watch; on create, update, patch and delete', tests: ['4.2 ', '0.5 '] },
    {
      id: '4.3',
      level: 'MUST',
      what: 'PartialObjectMetadata(List) on get, list and watch; on create, update, patch and delete',
      tests: ['4.3 ', '0.5 '],
    },
    { id: '4.3', level: 'MAY', what: 'protobuf answers', missing: 'answers are JSON; every client lists it as an alternative' },
    { id: '4.4', level: 'MUST', what: 'protobuf bodies of core kinds, from kubectl 1.32 on', tests: ['4.4 '] },
    { id: '4.5', level: 'SHOULD', what: 'gzip', tests: ['4.5 large answers'] },
    { id: '4.5', level: 'MUST', what: 'Audit-Id, Cache-Control, Warning', tests: ['4.5 every answer', '4.5 warnings'] },
    { id: '4.6', level: 'MUST', what: 'order and pages of one snapshot', tests: ['4.6 '] },
    {
      id: '4.7',
      level: 'MUST',
      what: 'watch: from a revision, from the present, selectors, errors',
      tests: ['4.7 a watch from', '4.7 without a revision', '4.7 selectors', '0.11 '],
    },
    { id: '4.7', level: 'MUST', what: 'bookmarks', tests: ['4.7 bookmarks'] },
    { id: '0.3', level: 'MUST', what: 'sendInitialEvents', tests: ['0.3 '] },
    { id: '4.7', level: 'MUST', what: 'a watcher that does not read is dropped', tests: ['4.7 a client that stops'] },
    {
      id: '4.7',
      level: 'MAY',
      what: 'watch over websocket',
      tests: ['4.7 a watch over a websocket', '4.7 what is wrong before', '4.7 6.1.3'],
    },
    {
      id: '0.13',
      level: 'MUST',
      what: 'a list without a resourceVersion shows every write that finished before it',
      tests: ['a write accepted by one is in the next GET'],
    },
  ],
};
