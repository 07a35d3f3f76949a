import { ArcError } from '@arc/kernel';

/** A fault in a Workflow or its templates: it ends the node or the Workflow with phase Error and never heals by itself. */
export class WorkflowError extends ArcError {}
