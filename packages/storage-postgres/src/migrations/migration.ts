/**
 * One step of the schema. Once released it is never changed; what follows is a further step. It only adds: servers of the version
 * before go on with the tables while they are being replaced.
 */
export interface Migration {
  /** 1, 2, 3 ... without gaps. */
  readonly version: number;
  readonly name: string;
  /** The statements, for the tables in `schema`. */
  readonly sql: (schema: string) => string;
}
