/** On the Workflows of a CronWorkflow: its name. */
export const cronWorkflowLabel = 'workflows.argoproj.io/cron-workflow';
/** On the Workflows of a CronWorkflow: the time they were due. */
export const scheduledTimeAnnotation = 'workflows.argoproj.io/scheduled-time';
