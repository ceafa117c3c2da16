// All that Gaur asks of a NestJS application: which use case a function means. `gaur work` starts this program, hands it
// jobs, and ends it; it never sees Redis. The use cases are the old worker's, untouched.
import 'reflect-metadata';
import { runNest } from '@gaur/runner';
import { CasesModule } from './cases/cases.module';
import { DuckdbLimits } from './cases/duckdb_limits';
import { DwellReport } from './cases/dwell_report';
import { Probe } from './cases/probe';
import { RankMovement } from './cases/rank_movement';

void runNest(CasesModule, {
  functions: {
    dwell_report: [DwellReport, 'execute', (data) => [data]],
    rank_movement: [RankMovement, 'plan', (data) => [data]], // its SQL, which gaur-duckdb runs
    duckdb_limits: [DuckdbLimits, 'execute', (data) => [data]],
    probe: [Probe, 'execute', (data) => [data]],
  },
});
