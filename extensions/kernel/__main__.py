"""`python -P -m extensions.kernel -f FILE`: what the kernelspec `spoc` starts.

`-P` keeps the working folder off `sys.path` until our own packages are imported.
"""

from __future__ import annotations

from extensions.kernel.app import CourseKernel, CourseKernelApp

if __name__ == "__main__":
    CourseKernelApp.launch_instance(kernel_class=CourseKernel)
