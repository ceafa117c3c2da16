export { run, type Handlers, type RunOptions } from './run.js';
export {
  runNest,
  type Arguments,
  type ModuleSource,
  type NestRunOptions,
  type Token,
  type UseCase,
  type UseCases,
} from './nest.js';
export { currentRun, type Handler, type JobInfo, type RunContext } from './context.js';
export { SnoozeError, RunCancelled, UnrecoverableError, type CancelReason } from './errors.js';
export { bullJob, type BullLikeJob } from './bull.js';
export { applyGrant, withGrant, type Grant, type GrantOptions } from './duckdb.js';
export {
  answer,
  plan,
  resultFile,
  ResultFile,
  typed,
  type Plan,
  type PlannedAnswer,
  type PlanParams,
  type PlanScalar,
  type PlanValue,
  type ResultFileInfo,
  type TypedValue,
} from './plan.js';
export type { SessionOptions } from './session.js';
