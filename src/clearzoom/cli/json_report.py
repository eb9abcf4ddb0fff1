"""The object that ``--json`` prints for enlarge, plan and batch; docs/cli.md has its schema."""

from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from clearzoom.batch.batch import Batch
    from clearzoom.batch.report import Row
    from clearzoom.engines.network import Network
    from clearzoom.pipeline.job import Job


Status = Literal["done", "done before", "planned", "failed"]


class PictureReport(BaseModel):
    """One picture."""

    model_config = ConfigDict(extra="forbid")

    file: str = Field(description="The input.")
    output: str | None = Field(default=None, description="The result.")
    status: Status = Field(
        description="`done before`: an earlier run over the same folder enlarged it."
    )
    width_px: int | None = Field(default=None, description="Width of the result.")
    height_px: int | None = Field(default=None, description="Height of the result.")
    frames: int | None = Field(default=None, description="Frames of an animation.")
    bytes: int | None = Field(default=None, description="Size of the result's file.")
    dpi: float | None = Field(default=None, description="Resolution of the result, across.")
    model: str | None = Field(default=None, description="The model.")
    scales: list[int] | None = Field(
        default=None,
        description="The scales of the networks in order; none where px are only resampled.",
    )
    engines: list[str] | None = Field(
        default=None, description="Engine and precision of each network."
    )
    consistency: float | str | None = Field(
        default=None, description="The consistency that was chosen."
    )
    denoise: float | None = Field(
        default=None,
        description="The level of denoising that was chosen, for models that have levels.",
    )
    seconds: float | None = Field(default=None, description="Time that it took.")
    notes: list[str] = Field(
        default=[], description="What differs from the input, or is worth knowing."
    )
    code: str | None = Field(default=None, description="Code of the error, where it failed.")
    error: str | None = Field(
        default=None, description="What happened and what to do, where it failed."
    )


class RunReport(BaseModel):
    """What a command did, or would do."""

    model_config = ConfigDict(extra="forbid")

    command: Literal["enlarge", "plan", "batch"] = Field(description="The command.")
    version: str = Field(description="The version of clearzoom.")
    pictures: list[PictureReport] = Field(default=[], description="The pictures, in order.")
    done: int = Field(default=0, description="Number of pictures with the status `done`.")
    done_before: int = Field(
        default=0, description="Number of pictures with the status `done before`."
    )
    planned: int = Field(default=0, description="Number of pictures with the status `planned`.")
    failed: int = Field(default=0, description="Number of pictures with the status `failed`.")
    left_out: dict[str, int] = Field(
        default={}, description="Number of files in folders that are no pictures, by kind."
    )
    megapixels: float = Field(default=0.0, description="Area of the results, in millions of px.")
    seconds: float = Field(
        default=0.0, description="Time of the whole command; of a plan, the estimate."
    )
    estimated_bytes: int | None = Field(default=None, description="Of a plan: size of all results.")
    reports: list[str] = Field(
        default=[], description="The report.jsonl of each folder of results."
    )

    def take(self, picture: PictureReport) -> None:
        """Add a picture and count it."""
        self.pictures.append(picture)
        counter = picture.status.replace(" ", "_")
        setattr(self, counter, getattr(self, counter) + 1)
        if picture.status in ("done", "planned") and picture.width_px and picture.height_px:
            px = picture.width_px * picture.height_px * (picture.frames or 1)
            self.megapixels = round(self.megapixels + px / 1e6, 6)

    def take_batch(self, batch: "Batch") -> None:
        """Add all pictures of a batch that has run."""
        from clearzoom.batch.report import NAME
        from clearzoom.batch.tree import full_name

        source, target = batch.context.source, batch.context.target
        for name in [*batch.listing.unreadable, *(task.file for task in batch.tasks)]:
            row = batch.rows[name]
            output = full_name(target, row["output"]) if "output" in row else None
            before = name in batch.before
            self.take(_of_row(row, full_name(source, name), output, before=before))
        self.leave_out(batch.listing.left_out.values())
        self.reports.append(full_name(target, NAME))

    def leave_out(self, kinds: Any) -> None:
        """Count files that are no pictures.

        Args:
            kinds: the kind of each file.
        """
        self.left_out = dict(Counter(self.left_out) + Counter(kinds))

    def printable(self) -> dict[str, Any]:
        """Return what is printed; fields without a value are left out."""
        return self.model_dump(mode="json", exclude_none=True)


def picture_of(job: "Job", networks: "list[Network]") -> PictureReport:
    """Describe a planned picture.

    Args:
        job: the plan.
        networks: the chain.
    """
    assert job.settings.consistency != "auto"
    return PictureReport(
        file=str(job.source.path),
        output=str(job.target),
        status="planned",
        width_px=job.cut.width,
        height_px=job.cut.height,
        frames=job.source.frames if job.source.frames > 1 else None,
        dpi=round(job.dpi[0], 3) if job.dpi else None,
        scales=list(job.plan.stages),
        notes=list(job.notes),
        model=job.settings.model if networks else None,
        engines=[network.engine for network in networks] or None,
        consistency=job.settings.consistency if networks else None,
        denoise=networks[0].denoise if networks else None,
    )


def _of_row(row: "Row", file: str, output: str | None, *, before: bool) -> PictureReport:
    status: Status = "done before" if before else "done"
    if row["status"] == "failed":
        status = "failed"
    kept = ("width_px", "height_px", "bytes", "notes", "code", "error")
    values = {key: row[key] for key in kept if key in row}
    return PictureReport(file=file, output=output, status=status, **values)
