"""The thin face of background work: declare a job, enqueue it, tell when it is due. Only this package knows DBOS."""

from backend.jobs.registry import Job, enqueue, find_job, job, long_job, network_job, registered_jobs, timed_jobs

__all__ = ["Job", "enqueue", "find_job", "job", "long_job", "network_job", "registered_jobs", "timed_jobs"]
