"""Shared by the numbered scripts: their options, the console, and answers printed as lines of text.

Start at `make_parser` and `run_script`. Nothing slow is imported here, so that ``--help`` and an error in a
setting are shown without delay.
"""

from imagesearch.cli.arguments import (
    add_figure_options,
    add_filter_options,
    add_photo_options,
    check_figure_file,
    join_negative_values,
    load_config_of,
    make_criteria,
    make_parser,
    parse_face_count,
    parse_figure_path,
    parse_milvus_uri,
    parse_result_count,
)
from imagesearch.cli.console import (
    print_json,
    print_note,
    read_queries,
    read_reply,
    report_failures,
    run_script,
    show_progress,
)
from imagesearch.cli.printing import (
    print_answer,
    print_classes,
    print_people,
    print_saved_queries,
    print_trips,
)

__all__ = [
    "add_figure_options",
    "add_filter_options",
    "add_photo_options",
    "check_figure_file",
    "join_negative_values",
    "load_config_of",
    "make_criteria",
    "make_parser",
    "parse_face_count",
    "parse_figure_path",
    "parse_milvus_uri",
    "parse_result_count",
    "print_answer",
    "print_classes",
    "print_json",
    "print_note",
    "print_people",
    "print_saved_queries",
    "print_trips",
    "read_queries",
    "read_reply",
    "report_failures",
    "run_script",
    "show_progress",
]
