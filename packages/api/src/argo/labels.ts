/** On Workflows and CronWorkflows: the id of the controller that is to take them, where several share a cluster. */
export const instanceIdLabel = 'workflows.argoproj.io/controller-instanceid';
/** On the Workflows of a CronWorkflow: its name. */
export const cronWorkflowLabel = 'workflows.argoproj.io/cron-workflow';
/** On the Workflows of a CronWorkflow: the time they were due. */
export const scheduledTimeAnnotation = 'workflows.argoproj.io/scheduled-time';
