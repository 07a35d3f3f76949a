/** On a CronWorkflow whose stop strategy has come true. */
export const cronWorkflowCompletedLabel = 'workflows.argoproj.io/cron-workflow-completed';
/** On a CronWorkflow: the schedule of its last run. */
export const lastUsedScheduleAnnotation = 'cronworkflows.argoproj.io/last-used-schedule';
