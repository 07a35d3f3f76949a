import { WorkflowError } from '../../model/workflow-error.ts';

/** The text is not an expression of the `when` language. */
export class WhenSyntaxError extends WorkflowError {
  constructor(message: string) {
    super('InvalidWhen', message, {
      hint: "Quote both sides of a comparison, as in '{{inputs.parameters.type}}' == 'oci'.",
    });
  }
}

/** The expression cannot be evaluated: an operator was given a value of the wrong type. */
export class WhenTypeError extends WorkflowError {
  constructor(message: string) {
    super('InvalidWhen', message, {
      hint: "Quote both sides of a comparison, as in '{{inputs.parameters.type}}' == 'oci'.",
    });
  }
}
