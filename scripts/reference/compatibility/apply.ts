import type { ContractChapter } from './contract.ts';

export const apply: ContractChapter = {
  title: '5 Server-side apply',
  items: [
    {
      id: '5.1',
      level: 'MUST',
      what: 'the request: creates what is missing, what it must say, YAML or JSON',
      tests: ['5.1 an apply creates', '5.1 what an apply', '5.1 creating by apply'],
    },
    { id: '5.2', level: 'MUST', what: 'step 1: sets follow a schema that turns atomic or granular', tests: ['5.2 step 1'] },
    { id: '5.2', level: 'MUST', what: 'steps 2 and 3: merging, and the set of a configuration', tests: ['5.2 step 2', '5.2 step 3'] },
    {
      id: '5.2',
      level: 'MUST',
      what: 'step 4: what nobody applies any more goes',
      tests: ['5.2 step 4', '5.2 what a manager no longer', '5.2 what is no longer'],
    },
    {
      id: '5.2',
      level: 'MUST',
      what: 'step 5: conflicts, force, shared ownership',
      tests: ['5.2 step 5', '5.2 after force', '5.2 force takes over'],
    },
    { id: '5.2', level: 'MUST', what: 'step 7: applying again writes nothing', tests: ['5.2 applying again'] },
    { id: '5.2', level: 'MUST', what: 'disjoint configurations commute', tests: ['5.2 disjoint'] },
    {
      id: '5.2',
      level: 'MUST',
      what: 'unknown fields and wrong shapes are refused',
      tests: ['5.2 unknown fields', '5.2 a configuration that does not fit'],
    },
    {
      id: '5.2',
      level: 'MUST',
      what: 'several versions of a kind',
      tests: ['5.2 several versions', '5.2 managers of a version', '5.2 an object served in two'],
    },
    { id: '5.3', level: 'MUST', what: 'the texts of conflicts', tests: ['5.3 '] },
    {
      id: '5.4',
      level: 'MUST',
      what: 'migration from client-side apply, both halves',
      tests: ['5.4 ', 'from client-side apply to server-side'],
    },
  ],
};
