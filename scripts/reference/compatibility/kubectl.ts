import type { ContractChapter } from './contract.ts';

export const kubectl: ContractChapter = {
  title: '8 kubectl',
  items: [
    {
      id: '8',
      level: 'MUST',
      what: '`api-resources`, `api-versions`, `explain`, `version`, `get --raw`',
      tests: ['8 kubectl api-resources'],
    },
    {
      id: '8',
      level: 'MUST',
      what: '`get` in every form, `-w`, `describe`, `logs`',
      tests: ['8 kubectl get in', 'get in every output form', 'apply delivers'],
    },
    { id: '8', level: 'MUST', what: '`create`, `--dry-run=server`', tests: ['8 kubectl create and apply with', 'create namespace and'] },
    { id: '8', level: 'MUST', what: '`apply`, `apply --prune`, `diff`', tests: ['8 kubectl apply', 'apply delivers'] },
    {
      id: '8',
      level: 'MUST',
      what: '`apply --server-side`, `diff --server-side`',
      tests: ['apply creates, applies again', 'diff shows', '8 kubectl apply, diff'],
    },
    {
      id: '8',
      level: 'MUST',
      what: '`label`, `annotate`, `patch`, `edit`, `edit --subresource`',
      tests: ['8 kubectl label', '8 kubectl apply --prune'],
    },
    { id: '8', level: 'MUST', what: '`replace`, `replace --force`', tests: ['8 kubectl replace'] },
    {
      id: '8',
      level: 'MUST',
      what: '`delete` with every `--cascade`, `--all`, `-l`, `--now`, `--force`, `--grace-period`',
      tests: ['8 kubectl delete', '8 kubectl apply --prune'],
    },
    { id: '8', level: 'MUST', what: '`wait`', tests: ['8 kubectl wait', '8 kubectl delete'] },
    { id: '8', level: 'MUST', what: '`auth can-i`, `auth whoami`', tests: ['auth can-i', '6.3 auth can-i', '8 kubectl get in'] },
    { id: '8', level: 'MUST', what: 'deleting a namespace with everything in it', tests: ['delete ns ends'] },
    { id: '8', level: 'MUST', what: '`scale`', tests: ['8 kubectl scale'] },
    {
      id: '8',
      level: 'MAY',
      what: '`rollout`, `exec`, `attach`, `port-forward`',
      notApplicable: 'for kinds kubectl knows itself, and pods of a kubelet',
    },
  ],
};
