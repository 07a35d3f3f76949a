import type { ContractChapter } from './contract.ts';

export const transport: ContractChapter = {
  title: '7 Behind the aggregation layer',
  items: [
    { id: 'A1', level: 'MUST', what: 'the availability probe is answered at once', tests: ['0.1 '] },
    { id: 'A6', level: 'MUST', what: 'watches have no Content-Length and are flushed', tests: ['4.7 bookmarks', '4.7 a watch from'] },
    { id: 'A9', level: 'MUST', what: 'HTTP/1.1 and HTTP/2 on one port, keep-alive beyond 90 s', tests: ['A9 '] },
    { id: 'A9', level: 'MUST', what: 'one session for many users: stalled lists, cancelled watches, refused bodies', tests: ['trap: '] },
    {
      id: 'A2',
      level: 'MUST',
      what: 'shutdown: not ready first, watches closed, requests in flight finished',
      tests: ['closing: readiness fails first'],
    },
    { id: 'A4', level: 'SHOULD', what: 'new serving certificates and client authorities without a restart', tests: ['A4 '] },
    {
      id: '7',
      level: 'MUST',
      what: 'a real kube-apiserver in front: discovery, RBAC, tokens, garbage collection, namespaces',
      tests: [
        '7 discovery and OpenAPI are merged',
        '7 kubectl creates, applies, watches',
        '7 RBAC and impersonation',
        '7 tokens of ServiceAccounts',
        '7 the garbage collector',
        '7 nothing is created where',
      ],
    },
  ],
};
