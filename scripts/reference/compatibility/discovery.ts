import type { ContractChapter } from './contract.ts';

export const discovery: ContractChapter = {
  title: '1 Discovery, OpenAPI, health',
  items: [
    { id: 'D1', level: 'SHOULD', what: '`GET /api`', tests: ['D1-D6 plain discovery', 'D1 a server without the core group'] },
    { id: 'D2, D3, D4', level: 'MUST', what: 'groups, a group, the resources of a version', tests: ['D1 D2 D3', 'D4 resources', 'D1-D6'] },
    { id: 'D5, D6', level: 'MUST', what: 'trailing slashes accepted, unknown groups and versions 404', tests: ['D1-D6 plain discovery'] },
    { id: '0.1', level: 'MUST', what: 'the probe path answers without the database', tests: ['0.1 '] },
    {
      id: '1.2',
      level: 'MUST',
      what: 'aggregated discovery in v2 and v2beta1, negotiated clause by clause, entity tags, 304, 406 for clauses nobody can serve',
      tests: ['1.2 aggregated discovery by clause', '1.2 aggregated discovery in v2 and v2beta1', '4.1 the first clause'],
    },
    {
      id: '1.3',
      level: 'MUST',
      what: 'OpenAPI v2 in JSON, with entity tags and 406',
      tests: ['1.3 OpenAPI v2 answers', '1.3 one document'],
    },
    {
      id: '1.3',
      level: 'MUST',
      what: 'OpenAPI v2 in protobuf, for kubectl 1.27 and 1.28',
      tests: ['1.3 OpenAPI v2 answers', '1.3 the protobuf form'],
    },
    {
      id: '1.4',
      level: 'MUST',
      what: 'OpenAPI v3: index, documents by the hash of their content, kinds on every operation, fieldValidation and dryRun on writes',
      tests: ['1.4 OpenAPI v3', '1.4 the index', '1.4 every operation', '1.4 paths and operations', '1.4 schemas'],
    },
    { id: '1.4', level: 'MAY', what: 'OpenAPI v3 in protobuf', missing: 'JSON only; every client accepts it' },
    { id: '0.7', level: 'MUST', what: 'strategic merge patch in OpenAPI exactly where it is accepted', tests: ['0.7 '] },
    { id: '1.5', level: 'MUST', what: '`/version`, and what does not exist', tests: ['1.5 /version'] },
    {
      id: '1.5',
      level: 'MUST',
      what: '`/healthz`, `/livez`, `/readyz`: verbose, exclude, each check',
      tests: ['1.5 health in Kubernetes words'],
    },
    {
      id: '1.5',
      level: 'SHOULD',
      what: '`/metrics` under the names of Kubernetes, authorised',
      tests: ['1.5 /metrics counts', '6.3 /metrics is authorised', '1.5 watches are counted'],
    },
  ],
};
