"""What is under test, from one place, so that a file that moves is found again here."""

from holdfast.report.build import build, json_schema, to_json, write
from holdfast.report.build import judged as judged_all
from holdfast.report.schema import Report, Verdict
from holdfast.report.verdict import conditions, controls, labels
from holdfast.report.verdict.evidence import Evidence, gathered
from holdfast.report.verdict.headline import outcome
from holdfast.report.verdict.lessons import lesson
from holdfast.report.verdict.reading import read
from holdfast.report.verdict.terms import Terms
from holdfast.report.verdict.verdict import verdict

__all__ = [
    "Evidence",
    "Report",
    "Terms",
    "Verdict",
    "build",
    "conditions",
    "controls",
    "gathered",
    "json_schema",
    "judged_all",
    "labels",
    "lesson",
    "outcome",
    "read",
    "to_json",
    "verdict",
    "write",
]
