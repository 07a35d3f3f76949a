import type { ContractChapter } from './contract.ts';

export const access: ContractChapter = {
  title: '6 Authentication, authorization, audit',
  items: [
    {
      id: '6.1.1',
      level: 'MUST',
      what: 'front proxy: believed only for its own authority and allowed names; headers verbatim; smuggled ones ignored',
      tests: ['6.1.1 X-Remote-*', '6.1.1 spellings', '6.1.1 an authority in', '6.1.1 a front proxy that names', '6.1.1 a user of hundreds'],
    },
    { id: '6.1.1', level: 'MUST', what: 'resumed TLS sessions', tests: ['6.1.1 a resumed TLS session'] },
    { id: '6.1.2', level: 'MUST', what: 'client certificates', tests: ['6.1.2 ', '6.1 CN is the user', '6.1 a certificate of another'] },
    { id: '6.1.3', level: 'MUST', what: 'bearer tokens by TokenReview, with a cache', tests: ['6.1.3 '] },
    {
      id: '6.1',
      level: 'MUST',
      what: 'bearer tokens handed out by a standalone server',
      tests: ['6.1 a bearer token', '6.1 an expired token', '6.1 tokens'],
    },
    { id: '6.1.3', level: 'MAY', what: 'tokens in `Sec-WebSocket-Protocol`', tests: ['4.7 6.1.3'] },
    {
      id: '6.1.5',
      level: 'MUST',
      what: 'anonymous; 401 for what is presented and not valid',
      tests: ['6.1.5 ', '6.1 nothing presented', '6.1 unknown tokens'],
    },
    {
      id: '6.1',
      level: 'MUST',
      what: 'the ConfigMap of the cluster is followed while the server runs',
      tests: ['6.1 authorities are rotated', '6.1 on an open', '6.1 a configuration that', '6.1 a server that cannot'],
    },
    { id: '6.1', level: 'SHOULD', what: 'GOAWAY after a 401, and for anonymous clients, over HTTP/2', tests: ['6.1 over HTTP/2'] },
    { id: '6.2', level: 'MUST', what: 'impersonation', tests: ['6.2 '] },
    {
      id: '6.3',
      level: 'MUST',
      what: 'SubjectAccessReview: the question, caches, failures',
      tests: ['6.3 every request is asked', '6.3 answers are believed', '6.3 when the core API fails', '6.3 a core API', '6.3 a denial'],
    },
    { id: '6.3', level: 'MUST', what: 'system:masters and always allowed paths', tests: ['6.3 the masters'] },
    { id: '6.3', level: 'MAY', what: 'selectors in SubjectAccessReview (1.31)', missing: 'not sent; a list is asked about as a whole' },
    {
      id: '6.3',
      level: 'MUST',
      what: 'RBAC evaluated locally, with escalation check',
      tests: ['6.3 a rule allows', '6.3 groups and service', '6.3 resourceNames', 'nobody grants what'],
    },
    {
      id: '6.3',
      level: 'MUST',
      what: 'self, rules, subject and token reviews, `kubectl auth can-i`',
      tests: ['6.3 self reviews', '6.3 auth can-i', '6.3 reviews'],
    },
    { id: '6.4', level: 'MUST', what: 'load is shed with 429 and Retry-After', tests: ['6.4 '] },
    { id: '6.4', level: 'MAY', what: 'FlowSchemas and PriorityLevelConfigurations', missing: 'limits on requests in flight instead' },
    { id: '6.5', level: 'SHOULD', what: 'audit events by policy, as JSON lines', tests: ['6.5 '] },
    {
      id: '6.6',
      level: 'SHOULD',
      what: 'admission webhooks and policies of the cluster',
      missing:
        'they do not run for these objects, though they do in servers built on k8s.io/apiserver: policies need all of CEL and webhooks a client ' +
        'of their own; what must hold for a kind is said in its schema and its strategy, and who may write it by RBAC',
    },
    { id: '6.7', level: 'SHOULD', what: 'ResourceQuota of the cluster: `count/<plural>.<group>`, when asked for', tests: ['6.7 '] },
  ],
};
