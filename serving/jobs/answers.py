"""What is answered about jobs.

Turns rows of the store into the models of answers. Time rule: times are UTC, whole seconds, written with Z.
Null rule: what has not happened yet is null.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, Field, create_model

from serving.answers import Answer, Moment, ProblemDetails
from serving.jobs.results import RESULT_SCHEMA
from serving.jobs.settings import JobSettings
from serving.store.jobs import Job, State

__all__ = ["JobAnswer", "JobFile", "JobModel", "ResultRow", "expires_at", "job_answer"]


class JobFile(BaseModel):
    """A form with the file."""

    file: bytes = Field(description="CSV, Parquet or NDJSON, known by the ending of its name.")


class JobModel(Answer):
    """A model of the release that answers the job."""

    model: str = Field(description="Key of the model, such as fit or intent.")
    fingerprint: str = Field(description="SHA-256 of the model bundle: equal exactly when the model is.")


class JobAnswer(Answer):
    """A job, and how far it is."""

    id: str = Field(description="Names the job.")
    kind: str = Field(description="score (a file) or expand (a list of lookalikes).")
    state: State = Field(description="queued, running, done, failed or cancelled.")
    format: str = Field(description="Of the file: csv, parquet or ndjson; the result has it, unless asked.")
    rows: int = Field(ge=0, description="Rows of the file; of an expansion, its steps.")
    rows_done: int = Field(ge=0, description="Rows that are answered or refused; steps that are done.")
    rows_failed: int = Field(ge=0, description="Of these, rows that are refused; the result says why.")
    created_at: Moment
    started_at: Moment | None = Field(description="The moment that all rows are answered at.")
    finished_at: Moment | None
    expires_at: Moment | None = Field(description="When the result will be deleted; null for never.")
    release_id: int | None = Field(description="The release that answers every row; null before it begins.")
    models: list[JobModel] = Field(description="The models of this release.")
    result_url: str | None = Field(description="Where the result is; null before the job is done.")
    problem: ProblemDetails | None = Field(description="Why the job has failed; null when it has not.")


def job_answer(job: Job, *, settings: JobSettings) -> JobAnswer:
    """What is answered about a job."""
    fingerprints = job.fingerprints or {}
    return JobAnswer(
        id=job.id,
        kind=job.kind,
        state=job.state,
        format=job.format,
        rows=job.rows,
        rows_done=job.done,
        rows_failed=job.failed,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        expires_at=expires_at(job, settings=settings),
        release_id=job.release_id,
        models=[JobModel(model=key, fingerprint=told) for key, told in sorted(fingerprints.items())],
        result_url=f"/v1/jobs/{job.id}/result" if job.state == "done" else None,
        problem=None if job.problem is None else ProblemDetails.model_validate(json.loads(job.problem)),
    )


def expires_at(job: Job, *, settings: JobSettings) -> datetime | None:
    if job.finished_at is None or not settings.days:
        return None
    return job.finished_at + timedelta(days=settings.days)


def _type_of(field: pa.Field) -> Any:
    kinds = {"int64": int, "double": float, "bool": bool}
    return kinds.get(str(field.type), str)


_FIELDS: dict[str, Any] = {
    field.name: (_type_of(field) if field.name == "row" else _type_of(field) | None, ...)
    for field in RESULT_SCHEMA
}
ResultRow: type[Answer] = create_model(
    "ResultRow",
    __base__=Answer,
    __doc__="One row of a result: the answer to a row of the file, or why it is refused. fit_for_1 is the "
    "strongest reason for fit, and fit_for_1_contribution its share of fit_logit, which is fit_baseline, all "
    "contributions and fit_other added up.",
    **_FIELDS,
)
