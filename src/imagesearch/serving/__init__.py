"""What the servers share: the web app of script 09 and the API of script 10.

- ``requests.py`` decides where a server listens, and which requests are answered at all.
- ``uploads.py`` checks photos to search with.
- ``heaps.py`` limits the memory that the threads of a server keep.
- ``step_process.py`` is the process that runs the numbered steps; ``step_runs.py`` has what it exchanges with
  a server.
"""

from imagesearch.serving.heaps import limit_heaps
from imagesearch.serving.requests import HostNames, explain_refusal, format_address, is_loopback, open_port
from imagesearch.serving.step_runs import (
    RunState,
    StepProgress,
    StepResult,
    describe_progress,
    format_duration,
    make_run_error,
    make_step_command,
    write_config_line,
)
from imagesearch.serving.uploads import (
    MAX_UPLOAD_BYTES,
    UploadedPhoto,
    add_upload,
    check_upload,
    clean_file_name,
    find_faces_in_upload,
    receive_upload,
)

__all__ = [
    "MAX_UPLOAD_BYTES",
    "HostNames",
    "RunState",
    "StepProgress",
    "StepResult",
    "UploadedPhoto",
    "add_upload",
    "check_upload",
    "clean_file_name",
    "describe_progress",
    "explain_refusal",
    "find_faces_in_upload",
    "format_address",
    "format_duration",
    "is_loopback",
    "limit_heaps",
    "make_run_error",
    "make_step_command",
    "open_port",
    "receive_upload",
    "write_config_line",
]
