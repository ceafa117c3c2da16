import { Module } from '@nestjs/common';
import { DuckDbService } from '../duckdb.service';
import { UseCases } from './cases';
import { DuckdbLimits } from './duckdb_limits';
import { DwellReport } from './dwell_report';
import { Probe } from './probe';
import { RankMovement } from './rank_movement';
import { SimilarKeywords } from './similar_keywords';
import { TopKeywords } from './top_keywords';

@Module({
  providers: [DuckDbService, UseCases, TopKeywords, RankMovement, DwellReport, SimilarKeywords, DuckdbLimits, Probe],
  exports: [UseCases],
})
export class CasesModule {}
