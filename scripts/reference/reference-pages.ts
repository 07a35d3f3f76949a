import { program as apiserver } from '../../apps/apiserver/src/program.ts';
import { program as controllerManager } from '../../apps/controller-manager/src/program.ts';
import { arcctlPage } from './arcctl-page.ts';
import { compatibilityPage } from './compatibility-page.ts';
import { errorsPage } from './errors-page.ts';
import { kindsPage } from './kinds-page.ts';
import type { ReferencePage } from './page.ts';
import { pairsPage } from './pairs-page.ts';
import { programPage } from './program-page.ts';
import { workerPage } from './worker-page.ts';
import { workflowSupportPage } from './workflow-support-page.ts';

/** Every page that is made from code. `root` is the folder of the repository. */
export function referencePages(root: string): readonly ReferencePage[] {
  return [
    programPage('apiserver.md', apiserver, [
      'It is up while the storage cannot be opened or the configuration of the cluster cannot be read: `/readyz` and the log say why, `/livez` passes.',
    ]),
    arcctlPage(),
    compatibilityPage(root),
    programPage('controller-manager.md', controllerManager, [
      'It says in its log and at `/readyz` which API or right is missing in the cluster, and begins by itself when that is mended. What it serves is described in [observing ARC](../guide/observing.md).',
    ]),
    errorsPage(root),
    kindsPage(),
    pairsPage(),
    workerPage(root),
    workflowSupportPage(),
  ];
}
