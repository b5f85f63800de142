// NEVER RUN in this repository: see settings.gradle.kts. Before the first build, from the root of the repository:
//
//     (cd bindings/kotlin && mvn -B install -DskipTests)
//     bindings/kotlin/android-build bindings/kotlin/compass-core-android/target/jni
//
// As thin as Maven's: the classes of compass-core come from mavenLocal, so they are there once, also if compass-core-testing needs them.
plugins {
    id("com.android.library") version "8.13.0"
    kotlin("android") version "2.2.20"
}

group = "dev.compass"
version = "0.1.0"

android {
    namespace = "dev.compass.core.android"
    compileSdk = 35
    defaultConfig {
        minSdk = 26
        consumerProguardFiles("consumer-rules.pro")
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }
    sourceSets["main"].apply {
        kotlin.srcDirs("src/main/kotlin")
        jniLibs.srcDirs("target/jni")
    }
    // Maven runs them, under Robolectric.
    sourceSets["test"].kotlin.setSrcDirs(emptyList<String>())
}

kotlin {
    explicitApi()
    compilerOptions {
        jvmTarget = org.jetbrains.kotlin.gradle.dsl.JvmTarget.JVM_11
        languageVersion = org.jetbrains.kotlin.gradle.dsl.KotlinVersion.KOTLIN_2_1
        apiVersion = org.jetbrains.kotlin.gradle.dsl.KotlinVersion.KOTLIN_2_1
        freeCompilerArgs.addAll("-jvm-default=no-compatibility")
    }
}

dependencies {
    api("dev.compass:compass-core:0.1.0")
    implementation("net.java.dev.jna:jna:5.19.1@aar")
}
