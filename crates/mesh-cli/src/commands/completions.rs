//! `mesh completions`: what a shell needs to complete commands and flags.

use clap::{Command, CommandFactory as _};

use crate::{
    args::{Args, Completions},
    exit::{Exit, Failure},
    output::Output,
};

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
pub(crate) fn run(completions: &Completions, output: &Output) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut shown(&Args::command()), "mesh", &mut script);
    output.bytes(&script);
    Ok(Exit::Ok)
}

/// The command without what `--help` hides. Names live as long as the process, which ends with this command.
fn shown(command: &Command) -> Command {
    let name: &'static str = command.get_name().to_owned().leak();
    Command::new(name)
        .about(command.get_about().cloned().unwrap_or_default())
        .args(command.get_arguments().filter(|argument| !argument.is_hide_set()).cloned())
        .subcommands(command.get_subcommands().filter(|command| !command.is_hide_set()).map(shown))
}
