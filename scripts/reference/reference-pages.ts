import { arcctlPage } from './arcctl-page.ts';
import { compatibilityPage } from './compatibility-page.ts';
import { errorsPage } from './errors-page.ts';
import { kindsPage } from './kinds-page.ts';
import type { ReferencePage } from './page.ts';
import { workerPage } from './worker-page.ts';
import { workflowSupportPage } from './workflow-support-page.ts';

/** Every page that is made from code. `root` is the folder of the repository. */
export function referencePages(root: string): readonly ReferencePage[] {
  return [arcctlPage(), compatibilityPage(root), errorsPage(root), kindsPage(), workerPage(root), workflowSupportPage()];
}
