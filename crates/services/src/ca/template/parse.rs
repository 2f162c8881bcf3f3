//! From pieces to a tree.

use super::function::{self, Function};
use super::lex::{Token, TokenKind};
use super::syntax::{BlockKind, Command, Node, Operand, OperandKind, Pipeline};
use super::{MAX_DEPTH, TemplateError};

/// Words of Go's templates that are not supported.
const UNSUPPORTED: &[&str] =
    &["define", "template", "block", "break", "continue", "nil", "html", "js", "slice", "call"];

/// Parses a whole template.
pub(super) fn parse(tokens: Vec<Token>) -> Result<Vec<Node>, TemplateError> {
    let mut parser = Parser { tokens, position: 0, variables: vec!["$".to_owned()], depth: 0 };
    let (nodes, end) = parser.nodes()?;
    match end {
        Stop::Template => Ok(nodes),
        Stop::End(at) | Stop::Else(at) => Err(malformed(at, "there is no block to end")),
    }
}

fn malformed(at: usize, reason: &'static str) -> TemplateError {
    TemplateError::Malformed { at, reason }
}

/// What ended a list of nodes.
enum Stop {
    Template,
    End(usize),
    /// The rest of the action, `if …` or nothing, has not been read.
    Else(usize),
}

struct Parser {
    tokens: Vec<Token>,
    /// How many of them have been read.
    position: usize,
    /// The variables that are declared here.
    variables: Vec<String>,
    depth: usize,
}

impl Parser {
    /// The next piece, if it is of the kind that is wanted.
    fn next_if(&mut self, is_wanted: impl Fn(&Token) -> bool) -> Option<Token> {
        let token = self.tokens.get(self.position).filter(|token| is_wanted(token))?.clone();
        self.position += 1;
        Some(token)
    }

    fn nodes(&mut self) -> Result<(Vec<Node>, Stop), TemplateError> {
        let mut nodes = Vec::new();
        while let Some(token) = self.next_if(|_| true) {
            if let TokenKind::Text(text) = token.kind {
                nodes.push(Node::Text(text));
                continue;
            }
            self.skip_space();
            let at = token.at;
            match self.keyword().as_deref() {
                Some("end") => {
                    self.close(at)?;
                    return Ok((nodes, Stop::End(at)));
                }
                Some("else") => return Ok((nodes, Stop::Else(at))),
                Some("if") => nodes.push(self.block(BlockKind::If, at)?),
                Some("with") => nodes.push(self.block(BlockKind::With, at)?),
                Some("range") => nodes.push(self.block(BlockKind::Range, at)?),
                _ => {
                    let pipeline = self.pipeline(at)?;
                    self.close(at)?;
                    nodes.push(Node::Action(pipeline));
                }
            }
        }
        Ok((nodes, Stop::Template))
    }

    /// `if`, `with` or `range`, whose keyword has been read.
    fn block(&mut self, kind: BlockKind, at: usize) -> Result<Node, TemplateError> {
        self.deeper(at)?;
        let scope = self.variables.len();
        let pipeline = self.pipeline(at)?;
        if pipeline.variables.len() > 1 && kind != BlockKind::Range {
            return Err(malformed(at, "too many variables"));
        }
        self.close(at)?;
        let (body, end) = self.nodes()?;
        let otherwise = match end {
            Stop::Template => return Err(malformed(at, "the block does not end")),
            Stop::End(_) => Vec::new(),
            Stop::Else(at) => self.otherwise(kind, at)?,
        };
        self.variables.truncate(scope);
        self.depth -= 1;
        Ok(Node::Block { kind, pipeline, body, otherwise })
    }

    /// What follows `else`: another block in the same place, or nodes up to the end.
    fn otherwise(&mut self, kind: BlockKind, at: usize) -> Result<Vec<Node>, TemplateError> {
        self.skip_space();
        match (self.keyword().as_deref(), kind) {
            (Some("if"), BlockKind::If) => return Ok(vec![self.block(BlockKind::If, at)?]),
            (Some("with"), BlockKind::With) => return Ok(vec![self.block(BlockKind::With, at)?]),
            _ => self.close(at)?,
        }
        match self.nodes()? {
            (nodes, Stop::End(_)) => Ok(nodes),
            _ => Err(malformed(at, "the block does not end")),
        }
    }

    fn pipeline(&mut self, at: usize) -> Result<Pipeline, TemplateError> {
        self.skip_space();
        let (variables, declares) = self.declaration(at)?;
        let mut commands = vec![self.command(at)?];
        while self.takes_sign("|") {
            commands.push(self.command(at)?);
        }
        if declares {
            self.variables.extend(variables.iter().cloned());
        }
        Ok(Pipeline { variables, declares, commands })
    }

    /// `$a :=`, `$a, $b :=` or `$a =`, if the pipeline begins so.
    fn declaration(&mut self, at: usize) -> Result<(Vec<String>, bool), TemplateError> {
        let start = self.position;
        let mut variables = Vec::new();
        let declares = loop {
            let name = self.next_if(|token| matches!(token.kind, TokenKind::Variable(_)));
            self.skip_space();
            let sign =
                self.next_if(|token| matches!(token.kind, TokenKind::Sign(":=" | "=" | ",")));
            let (Some(TokenKind::Variable(name)), Some(TokenKind::Sign(sign))) =
                (name.map(|token| token.kind), sign.map(|token| token.kind))
            else {
                self.position = start;
                return Ok((Vec::new(), false));
            };
            variables.push(name);
            match sign {
                "," if variables.len() == 1 => {
                    self.skip_space();
                }
                "," => return Err(malformed(at, "too many variables")),
                sign => break sign == ":=",
            }
        };
        if let Some(unknown) = variables.iter().find(|name| !declares && !self.knows(name)) {
            return Err(TemplateError::UndefinedVariable { name: unknown.clone() });
        }
        if variables.iter().any(|name| name == "$") {
            return Err(malformed(at, "a variable needs a name"));
        }
        self.skip_space();
        Ok((variables, declares))
    }

    fn command(&mut self, at: usize) -> Result<Command, TemplateError> {
        self.skip_space();
        let mut command = Command { at, operands: Vec::new() };
        while let Some(operand) = self.operand()? {
            if command.operands.is_empty() {
                command.at = operand.at;
            }
            command.operands.push(operand);
            let separated = self.skip_space();
            let ends = self.tokens.get(self.position).is_none_or(|token| {
                matches!(token.kind, TokenKind::Close | TokenKind::Sign("|" | ")"))
            });
            if !separated && !ends {
                return Err(malformed(at, "operands are not separated"));
            }
        }
        if command.operands.is_empty() {
            return Err(malformed(at, "a value is missing"));
        }
        check_format(&command)?;
        Ok(command)
    }

    /// The next operand of a command; `None` at its end.
    fn operand(&mut self) -> Result<Option<Operand>, TemplateError> {
        let Some(Token { at, kind }) = self.next_if(|token| {
            !matches!(
                token.kind,
                TokenKind::Close
                    | TokenKind::Sign("|" | ")" | "," | ":=" | "=")
                    | TokenKind::Text(_)
                    | TokenKind::Open
            )
        }) else {
            return Ok(None);
        };
        let kind = match kind {
            TokenKind::Dot => OperandKind::Dot,
            TokenKind::Field(name) => OperandKind::Field(vec![name]),
            TokenKind::Variable(name) if self.knows(&name) => {
                OperandKind::Variable { name, fields: Vec::new() }
            }
            TokenKind::Variable(name) => return Err(TemplateError::UndefinedVariable { name }),
            TokenKind::Quoted { value, written } => OperandKind::Text { value, written },
            TokenKind::Number(written) => number(written)?,
            TokenKind::Word(word) => named(word, at)?,
            TokenKind::Sign("(") => OperandKind::Group(self.group(at)?),
            _ => return Err(malformed(at, "unexpected piece")),
        };
        self.with_fields(Operand { at, kind }).map(Some)
    }

    /// Adds the fields that follow an operand without a blank.
    fn with_fields(&mut self, mut operand: Operand) -> Result<Operand, TemplateError> {
        let mut is_first = true;
        while let Some(token) = self.next_if(|token| matches!(token.kind, TokenKind::Field(_))) {
            let TokenKind::Field(name) = token.kind else { continue };
            match &mut operand.kind {
                OperandKind::Field(fields) | OperandKind::Variable { fields, .. } => {
                    fields.push(name);
                }
                other => {
                    return Err(TemplateError::Unsupported { what: format!("a field of {other}") });
                }
            }
            // Go says that a chain of fields stands where its second part does.
            if is_first {
                operand.at = token.at;
                is_first = false;
            }
        }
        Ok(operand)
    }

    fn group(&mut self, at: usize) -> Result<Pipeline, TemplateError> {
        self.deeper(at)?;
        let pipeline = self.pipeline(at)?;
        if !self.takes_sign(")") || !pipeline.variables.is_empty() {
            return Err(malformed(at, "the parenthesis does not end"));
        }
        self.depth -= 1;
        Ok(pipeline)
    }

    fn deeper(&mut self, at: usize) -> Result<(), TemplateError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(malformed(at, "nested too deeply")) } else { Ok(()) }
    }

    fn knows(&self, variable: &str) -> bool {
        self.variables.iter().any(|known| known == variable)
    }

    /// The keyword at which the action stands, which is then passed.
    fn keyword(&mut self) -> Option<String> {
        let is_keyword = |token: &Token| {
            let TokenKind::Word(word) = &token.kind else { return false };
            ["if", "else", "end", "with", "range"].contains(&word.as_str())
        };
        match self.next_if(is_keyword)?.kind {
            TokenKind::Word(word) => Some(word),
            _ => None,
        }
    }

    fn takes_sign(&mut self, sign: &str) -> bool {
        self.skip_space();
        let is_sign = |token: &Token| matches!(token.kind, TokenKind::Sign(found) if found == sign);
        self.next_if(is_sign).is_some()
    }

    fn skip_space(&mut self) -> bool {
        self.next_if(|token| token.kind == TokenKind::Space).is_some()
    }

    fn close(&mut self, at: usize) -> Result<(), TemplateError> {
        self.skip_space();
        match self.next_if(|token| token.kind == TokenKind::Close) {
            Some(_) => Ok(()),
            None => Err(malformed(at, "the action does not end here")),
        }
    }
}

/// A word: a constant or a function.
fn named(word: String, at: usize) -> Result<OperandKind, TemplateError> {
    if UNSUPPORTED.contains(&word.as_str()) {
        return Err(TemplateError::Unsupported { what: word });
    }
    match word.as_str() {
        "true" => Ok(OperandKind::Bool(true)),
        "false" => Ok(OperandKind::Bool(false)),
        name => Function::by_name(name)
            .map(OperandKind::Function)
            .ok_or_else(|| malformed(at, "there is no function of that name")),
    }
}

fn number(written: String) -> Result<OperandKind, TemplateError> {
    match written.parse() {
        Ok(value) => Ok(OperandKind::Number { value, written }),
        Err(_) => Err(TemplateError::Unsupported { what: format!("the number {written}") }),
    }
}

/// A format that is written in the template is checked when it is parsed.
fn check_format(command: &Command) -> Result<(), TemplateError> {
    let mut kinds = command.operands.iter().map(|operand| &operand.kind);
    if let (Some(OperandKind::Function(Function::Printf)), Some(OperandKind::Text { value, .. })) =
        (kinds.next(), kinds.next())
        && let Some(verb) = function::unsupported_verb(value)
    {
        return Err(TemplateError::Unsupported { what: format!("the verb %{verb}") });
    }
    Ok(())
}
