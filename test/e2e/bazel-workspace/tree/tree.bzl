"""A rule with a directory as its output, and one with a directory as its input."""

def _folder_impl(ctx):
    folder = ctx.actions.declare_directory(ctx.attr.name)
    ctx.actions.run_shell(
        outputs = [folder],
        command = "\n".join([
            "set -e",
            # A remote worker makes the parents of an output, not the output itself.
            "mkdir -p '%s' && cd '%s'" % (folder.path, folder.path),
            "mkdir -p deep/deeper empty",
            "for n in $(seq %d); do echo \"file $n\" > deep/deeper/$n; done" % ctx.attr.files,
            "printf '#!/bin/sh\\necho ran\\n' > deep/tool",
            "chmod +x deep/tool",
            "ln -s deep/tool tool",
        ]),
    )
    return [DefaultInfo(files = depset([folder]))]

folder = rule(
    implementation = _folder_impl,
    attrs = {"files": attr.int(default = 5)},
)

def _listing_impl(ctx):
    ctx.actions.run_shell(
        inputs = ctx.files.folder,
        outputs = [ctx.outputs.out],
        command = "cd '%s' && find . -type f ! -name tool | sort | xargs cksum > \"$OLDPWD/%s\" && ./deep/tool >> \"$OLDPWD/%s\"" % (
            ctx.files.folder[0].path,
            ctx.outputs.out.path,
            ctx.outputs.out.path,
        ),
    )

listing = rule(
    implementation = _listing_impl,
    attrs = {"folder": attr.label()},
    outputs = {"out": "%{name}.txt"},
)
