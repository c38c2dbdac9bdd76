"""A rule whose program is named by a relative path: most others name a shell or a compiler by an absolute one."""

def _written_impl(ctx):
    ctx.actions.run(
        executable = ctx.file.program,
        arguments = [ctx.outputs.out.path],
        inputs = [ctx.file.program],
        outputs = [ctx.outputs.out],
    )

written = rule(
    implementation = _written_impl,
    attrs = {"program": attr.label(allow_single_file = True)},
    outputs = {"out": "%{name}.txt"},
)
