"""What a learner's JupyterLab does and leaves; read by Jupyter Server, bound read-only into the sandbox."""

c = get_config()  # type: ignore[name-defined]  # noqa: F821

# One kernel: it loads our packages before the member's folder is on its path, and knows the course.
c.KernelSpecManager.allowed_kernelspecs = {"spoc"}
c.KernelSpecManager.ensure_native_kernel = False
# Sockets in files: nobody else is in the sandbox, and no port is open even there.
c.KernelManager.transport = "ipc"
c.MultiKernelManager.default_kernel_name = "spoc"

# Nothing leaves the sandbox: no news, no update check, no extension shop.
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"
c.ServerApp.quit_button = False
