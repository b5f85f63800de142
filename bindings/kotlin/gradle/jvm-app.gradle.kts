// NOT RUN HERE: the lines for the Gradle build of a JVM app. The packages themselves are built and tested with Maven.
//
// `mvn install` in bindings/kotlin puts the artefacts in the place where `mavenLocal()` finds them.

plugins {
    kotlin("jvm") version "2.1.21"
    application
}

repositories {
    mavenLocal { content { includeGroup("dev.compass") } }
    mavenCentral()
}

kotlin { jvmToolchain(17) }

dependencies {
    // Brings compass-core, JNA and the library of the machine that built it.
    implementation("dev.compass:compass-core-jvm:0.1.0")

    testImplementation("dev.compass:compass-core-testing:0.1.0")
    testImplementation(kotlin("test"))
}
