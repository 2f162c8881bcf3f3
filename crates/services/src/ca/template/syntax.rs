//! The parts of a template.

use std::fmt;

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// Text that is written as it is.
    Text(String),
    /// `{{ pipeline }}`: its value is written, unless it declares a variable.
    Action(Pipeline),
    /// `if`, `with` or `range`.
    Block {
        /// Which of the three.
        kind: BlockKind,
        /// What it depends on.
        pipeline: Pipeline,
        /// What is written if the value is not empty.
        body: Vec<Node>,
        /// What is written otherwise.
        otherwise: Vec<Node>,
    },
}

/// Which kind of block it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum BlockKind {
    If,
    With,
    Range,
}

/// Commands, each of which gets the value of the one before as its last argument.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pipeline {
    /// The variables that get the value: one, or for `range` two.
    pub(super) variables: Vec<String>,
    /// Whether they are declared (`:=`) rather than set (`=`).
    pub(super) declares: bool,
    pub(super) commands: Vec<Command>,
}

/// A function with its arguments, or a single operand.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Command {
    /// Where it stands, in bytes.
    pub(super) at: usize,
    pub(super) operands: Vec<Operand>,
}

/// One word of a command.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Operand {
    /// Where it stands, in bytes; of several fields, the second one, as in Go.
    pub(super) at: usize,
    pub(super) kind: OperandKind,
}

/// What kind of word it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum OperandKind {
    Dot,
    /// `.a.b`.
    Field(Vec<String>),
    /// `$v`, and the fields behind it.
    Variable {
        name: String,
        fields: Vec<String>,
    },
    Function(super::function::Function),
    Text {
        value: String,
        written: String,
    },
    Number {
        value: i64,
        written: String,
    },
    Bool(bool),
    /// A pipeline in parentheses.
    Group(Pipeline),
}

/// As Go writes a part in an error.
impl fmt::Display for OperandKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dot => f.write_str("."),
            Self::Field(fields) => fields.iter().try_for_each(|field| write!(f, ".{field}")),
            Self::Variable { name, fields } => {
                f.write_str(name)?;
                fields.iter().try_for_each(|field| write!(f, ".{field}"))
            }
            Self::Function(function) => f.write_str(function.name()),
            Self::Text { written, .. } | Self::Number { written, .. } => f.write_str(written),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Group(pipeline) => write!(f, "({pipeline})"),
        }
    }
}

impl fmt::Display for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            let sign = if self.declares { ":=" } else { "=" };
            write!(f, "{} {sign} ", self.variables.join(", "))?;
        }
        for (position, command) in self.commands.iter().enumerate() {
            write!(f, "{}{command}", if position > 0 { " | " } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, operand) in self.operands.iter().enumerate() {
            write!(f, "{}{}", if position > 0 { " " } else { "" }, operand.kind)?;
        }
        Ok(())
    }
}
