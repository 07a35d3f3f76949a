/** On the Workflows of a CronWorkflow: its name. */
export const cronWorkflowLabel = 'workflows.argoproj.io/cron-workflow';
/** On a CronWorkflow whose stop strategy has come true. */
export const cronWorkflowCompletedLabel = 'workflows.argoproj.io/cron-workflow-completed';
/** On the Workflows of a CronWorkflow: the time they were due. */
export const scheduledTimeAnnotation = 'workflows.argoproj.io/scheduled-time';
/** On a CronWorkflow: the schedule of its last run. */
export const lastUsedScheduleAnnotation = 'cronworkflows.argoproj.io/last-used-schedule';
