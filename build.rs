//! Embeds the page: the files of `web/` and the plotting library, which npm brings.
//!
//! `docs/adr/0003-page-build.md` says why it is done here and what happens without npm.

use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::hash::Hasher as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, io};

/// What npm needs to know, in `web/`.
const MANIFEST: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];
/// With this variable set to 1 a build without the plotting library is an error.
const REQUIRE_PLOT: &str = "ENCHUFE_REQUIRE_PLOT";
/// With this variable set a build says that it is of this commit.
const COMMIT: &str = "ENCHUFE_COMMIT";

fn main() -> io::Result<()> {
    let web = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("web");
    let out = PathBuf::from(variable("OUT_DIR"));
    let mut cargo = io::stdout().lock();
    writeln!(cargo, "cargo::rerun-if-changed=build.rs")?;
    writeln!(cargo, "cargo::rerun-if-env-changed={REQUIRE_PLOT}")?;
    for name in MANIFEST {
        writeln!(cargo, "cargo::rerun-if-changed={}", web.join(name).display())?;
    }
    facts(&mut cargo, &out)?;

    let mut files = Vec::new();
    for entry in fs::read_dir(&web)? {
        let path = entry?.path();
        if content_type(&path).is_some() {
            writeln!(cargo, "cargo::rerun-if-changed={}", path.display())?;
            files.push(path);
        }
    }

    let plotter = match install(&web, &out.join("npm")).and_then(|package| plotter(&package)) {
        Ok(plotter) => plotter,
        Err(reason) if env::var_os(REQUIRE_PLOT).is_some_and(|value| value == "1") => {
            writeln!(cargo, "cargo::error={reason}, and {REQUIRE_PLOT}=1 demands the plots")?;
            return Ok(());
        }
        Err(reason) => {
            writeln!(
                cargo,
                "cargo::warning=this build's page draws no plots, only their figures: {reason} \
                 (with npm at hand, `touch build.rs` and build again)"
            )?;
            Plotter::absent()
        }
    };
    let generated = out.join("web");
    fs::create_dir_all(&generated)?;
    for (name, text) in [("uplot.js", plotter.script), ("uplot.css", plotter.style)] {
        let path = generated.join(name);
        fs::write(&path, text)?;
        files.push(path);
    }

    files.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
    fs::write(out.join("assets.rs"), embedded(&files, &generated)?)
}

/// What `enchufe --version` says of this build.
fn facts(cargo: &mut impl io::Write, out: &Path) -> io::Result<()> {
    // The profile's folder is the third above: PROFILE itself knows only debug and release.
    let profile = out.ancestors().nth(3).and_then(Path::file_name).unwrap_or_default();
    let profile = profile.to_string_lossy().into_owned();
    writeln!(cargo, "cargo::rerun-if-env-changed={COMMIT}")?;
    let given = env::var(COMMIT).ok().filter(|commit| !commit.is_empty());
    let commit = given.or_else(packaged).or_else(|| match profile == "debug" {
        // Whoever builds this way commits often, and knows what they build.
        true => None,
        false => checked_out(cargo),
    });
    let rustc = Command::new(variable("RUSTC")).arg("--version").output()?.stdout;
    let rustc = String::from_utf8_lossy(&rustc).trim().to_owned();
    for (name, value) in [
        ("COMMIT", commit.unwrap_or_else(|| "unknown".into())),
        ("TARGET", variable("TARGET")),
        ("PROFILE", profile),
        ("RUSTC", rustc),
    ] {
        writeln!(cargo, "cargo::rustc-env=ENCHUFE_BUILD_{name}={value}")?;
    }
    Ok(())
}

/// The commit of a package, which cargo writes down beside it.
fn packaged() -> Option<String> {
    let text = fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, rest) = text.split_once("\"sha1\"")?;
    rest.split('"').nth(1).map(str::to_owned)
}

/// The commit that is checked out, read from Git's files: Git itself need not be there.
fn checked_out(cargo: &mut impl io::Write) -> Option<String> {
    let read = |path: &Path| fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    let git = match read(Path::new(".git")) {
        // A worktree has a file that says where its folder is.
        Some(text) => PathBuf::from(text.strip_prefix("gitdir: ")?),
        None => PathBuf::from(".git"),
    };
    let head = read(&git.join("HEAD"))?;
    let Some(name) = head.strip_prefix("ref: ") else { return Some(head) };
    let common = read(&git.join("commondir")).map_or_else(|| git.clone(), |path| git.join(path));
    for path in [git.join("HEAD"), common.join(name), common.join("packed-refs")] {
        if path.exists() {
            writeln!(cargo, "cargo::rerun-if-changed={}", path.display()).ok()?;
        }
    }
    read(&common.join(name)).or_else(|| {
        let packed = read(&common.join("packed-refs"))?;
        let line = packed.lines().find(|line| line.ends_with(&format!(" {name}")))?;
        line.split(' ').next().map(str::to_owned)
    })
}

/// The plotting library as the page loads it.
struct Plotter {
    script: String,
    style: String,
}

impl Plotter {
    /// What the page takes for "no plots".
    fn absent() -> Self {
        Self { script: "export default null;\n".into(), style: String::new() }
    }
}

/// Installs `web/package.json` in `folder`, unless that was done already; gives uPlot's folder.
fn install(web: &Path, folder: &Path) -> Result<PathBuf, String> {
    let package = folder.join("node_modules/uplot");
    let done = folder.join("done");
    let lock = read(&web.join("package-lock.json"))?;
    if fs::read_to_string(&done).is_ok_and(|installed| installed == lock) {
        return Ok(package);
    }
    fs::create_dir_all(folder)
        .map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    for name in MANIFEST {
        fs::copy(web.join(name), folder.join(name))
            .map_err(|error| format!("cannot copy {name}: {error}"))?;
    }
    // Without a network npm must give up in seconds, not minutes.
    let npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
        .args([
            "ci",
            "--omit=dev",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--prefer-offline",
        ])
        .args(["--fetch-retries=1", "--fetch-retry-mintimeout=500", "--fetch-timeout=30000"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output();
    match npm {
        Ok(output) if output.status.success() => {
            fs::write(&done, lock)
                .map_err(|error| format!("cannot write {}: {error}", done.display()))?;
            Ok(package)
        }
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let cause =
                said.lines().find(|line| line.starts_with("npm error")).unwrap_or("npm error");
            Err(format!("npm could not bring uPlot ({}, {cause})", output.status))
        }
        Err(error) => Err(format!("cannot run npm: {error}")),
    }
}

/// uPlot's smallest build is a classic script: one line makes a module of it.
fn plotter(package: &Path) -> Result<Plotter, String> {
    let script = read(&package.join("dist/uPlot.iife.min.js"))?;
    let style = read(&package.join("dist/uPlot.min.css"))?;
    let licence = read(&package.join("LICENSE"))?.replace("*/", "* /");
    Ok(Plotter { script: format!("/*!\n{licence}*/\n{script}\nexport default uPlot;\n"), style })
}

/// The Rust source that `src/page.rs` includes: the two documents, and the table of their assets.
///
/// All assets share a folder named for their content, so that a browser may keep them for ever and
/// yet never mixes two builds.
fn embedded(files: &[PathBuf], generated: &Path) -> io::Result<String> {
    let mut all = DefaultHasher::new();
    for path in files {
        all.write(&fs::read(path)?);
    }
    let folder = format!("/assets/{:016x}", all.finish());

    let (mut documents, mut rows) = (String::new(), String::new());
    for path in files {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.extension().is_some_and(|extension| extension == "html") {
            let document = generated.join(name.as_ref());
            fs::write(&document, fs::read_to_string(path)?.replace("{{assets}}", &folder))?;
            let _ = writeln!(
                documents,
                "static {}: Asset = {};",
                stem.to_uppercase(),
                asset(&document)?
            );
        } else {
            let _ = writeln!(rows, "    ({name:?}, {}),", asset(path)?);
        }
    }
    Ok(format!(
        "const FOLDER: &str = {folder:?};\n{documents}static ASSETS: &[(&str, Asset)] = &[\n{rows}];\n"
    ))
}

/// A file as an `Asset` in Rust.
fn asset(path: &Path) -> io::Result<String> {
    let mut content = DefaultHasher::new();
    content.write(&fs::read(path)?);
    let etag = format!("\"{:016x}\"", content.finish());
    let content_type = content_type(path).unwrap_or("application/octet-stream");
    Ok(format!(
        "Asset {{ content_type: {content_type:?}, etag: {etag:?}, body: include_bytes!({path:?}) }}"
    ))
}

/// The media type of a file that the page is made of; nothing for the others in `web/`.
fn content_type(path: &Path) -> Option<&'static str> {
    Some(match path.extension()?.to_str()? {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => return None,
    })
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
}
