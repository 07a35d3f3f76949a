import type { ContractChapter } from './contract.ts';

export const metadata: ContractChapter = {
  title: '3 Object metadata',
  items: [
    {
      id: '3.1',
      level: 'MUST',
      what: 'names, labels and annotations by their rules and sizes',
      tests: ['3.1 names by rule', '3.1 metadata on create', '3.1 annotations'],
    },
    { id: '3.1', level: 'MUST', what: '`generateName`', tests: ['3.1 generateName'] },
    {
      id: '3.1',
      level: 'MUST',
      what: '`uid`, `creationTimestamp`, `resourceVersion`, `generation`',
      tests: ['3.1 generation', '2.6 create fills in'],
    },
    {
      id: '3.1',
      level: 'MUST',
      what: 'owner references; duplicates dropped with a warning',
      tests: ['3.1 owner references', '3.1 duplicate owner'],
    },
    {
      id: '3.1',
      level: 'MUST',
      what: 'finalizers; none added while an object is being deleted',
      tests: ['3.1 metadata on update', '3.2 finalizers hold'],
    },
    { id: '3.1', level: 'MUST', what: 'immutable metadata', tests: ['3.1 metadata on update', '2.6 identity'] },
    { id: '3.1', level: 'MUST', what: 'empty lists and maps are as good as absent', tests: ['3.1 empty lists'] },
    {
      id: '3.2',
      level: 'MUST',
      what: 'deletion: finalizers, policies, preconditions, the last finalizer',
      tests: ['3.2 finalizers hold', '3.2 propagation', '2.3 preconditions'],
    },
    { id: '3.2', level: 'MUST', what: 'deletion of collections', tests: ['3.2 deletecollection'] },
    {
      id: '3.2',
      level: 'MAY',
      what: 'graceful deletion',
      notApplicable:
        'only kinds with a graceful strategy have it, such as pods run by a kubelet; gracePeriodSeconds is accepted and ignored',
    },
    { id: '3.4', level: 'MUST', what: 'managedFields on every write: identity, order, FieldsV1, what is never tracked', tests: ['3.4 '] },
    {
      id: '3.5',
      level: 'MUST',
      what: 'namespace lifecycle, standalone',
      tests: ['3.5 nothing is created', '3.5 a namespace terminates', '3.5 default'],
    },
    {
      id: '3.5',
      level: 'MUST',
      what: 'namespace lifecycle against the core API',
      tests: ['3.5 objects are created in namespaces the cluster has'],
    },
  ],
};
