//! The report as Markdown for an issue.
