// Everything that can be wrong with a table of use cases, told at once.
import { runNest } from '../../dist/index.mjs';
import { AppModule, RankUseCase } from './app.mjs';
class Nobody {}
runNest(AppModule, {
  functions: { a: [Nobody, 'execute'], b: [RankUseCase, 'excute'], c: RankUseCase },
  nest: { logger: false },
});
