/** What a job asks for: `func` names the use case, the rest are its parameters and what else the producer put there. */
export interface JobData {
  func: string;
  userId?: string;
  [name: string]: unknown;
}

export interface UseCase {
  execute(data: JobData): Promise<unknown>;
}
