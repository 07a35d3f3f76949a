import { arcctlPage } from './arcctl-page.ts';
import { errorsPage } from './errors-page.ts';
import { kindsPage } from './kinds-page.ts';
import type { ReferencePage } from './page.ts';
import { workerPage } from './worker-page.ts';
import { workflowSupportPage } from './workflow-support-page.ts';

/** Every page that is made from code. `root` is the folder of the repository. */
export function referencePages(root: string): readonly ReferencePage[] {
  return [arcctlPage(), errorsPage(root), kindsPage(), workerPage(root), workflowSupportPage()];
}
